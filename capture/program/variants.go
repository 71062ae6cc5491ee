package program

import (
	"strings"
)

// A Variant is how a compiler's copy of a function stands to the function that it is
// named after.
type Variant uint8

const (
	NoVariant Variant = iota
	Clone             // called in its place: .isra .constprop .llvm
	Part              // a part of it that callers reach without it when they inline the rest: .part
	Cold              // a part that is jumped to, never called: .cold
)

// variantSuffixes are those that GCC and LLVM give, each with a number behind it or none.
var variantSuffixes = []struct {
	suffix  string
	variant Variant
}{
	{".isra", Clone}, {".constprop", Clone}, {".llvm", Clone},
	{".part", Part}, {".cold", Cold},
}

// SplitVariant returns the name of the function that a name is a variant of. Suffixes
// stack: foo.isra.0.constprop.0 is a clone of foo, foo.isra.0.cold the cold part of one.
func SplitVariant(name string) (base string, v Variant) {
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
