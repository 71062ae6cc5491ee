package probe

import "strings"

// A variant is how a compiler's copy of a function stands to the function that it is
// named after.
type variant uint8

const (
	variantNone  variant = iota
	variantClone         // called in its place: .isra .constprop .llvm
	variantPart          // a part of it that callers reach without it when they inline the rest: .part
	variantCold          // a part that is jumped to, never called: .cold
)

// variantSuffixes are those that GCC and LLVM give, each with a number behind it or none.
var variantSuffixes = []struct {
	suffix  string
	variant variant
}{
	{".isra", variantClone}, {".constprop", variantClone}, {".llvm", variantClone},
	{".part", variantPart}, {".cold", variantCold},
}

// splitVariant returns the name of the function that a name is a variant of. Suffixes
// stack: foo.isra.0.constprop.0 is a clone of foo, foo.isra.0.cold the cold part of one.
func splitVariant(name string) (base string, v variant) {
	base = name
	for {
		rest := strings.TrimRight(base, "0123456789")
		if rest != base {
			var numbered bool
			if rest, numbered = strings.CutSuffix(rest, "."); !numbered {
				return base, v
			}
		}
		found := false
		for _, s := range variantSuffixes {
			if stem, ok := strings.CutSuffix(rest, s.suffix); ok && stem != "" {
				base, v, found = stem, max(v, s.variant), true
				break
			}
		}
		if !found {
			return base, v
		}
	}
}

// joinsVariants reports whether variants of functions are probed with them: not where
// what is asked for depends on the function's own code.
func (e *Event) joinsVariants() bool { return e.Offset == 0 && len(e.Args) == 0 }
