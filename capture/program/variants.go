package program

import (
	"strings"
)

// A Variant is the relation between a compiler's copy of a function and the function.
type Variant uint8

const (
	NoVariant Variant = iota
	Clone             // called instead of the function: .isra .constprop .llvm
	Part              // the rest of a function that callers have partly inlined: .part
	Cold              // jumped to, never called: .cold
)

// variantSuffixes are the suffixes that GCC and LLVM add, with or without a number.
var variantSuffixes = []struct {
	suffix  string
	variant Variant
}{
	{".isra", Clone}, {".constprop", Clone}, {".llvm", Clone},
	{".part", Part}, {".cold", Cold},
}

// SplitVariant returns the name of the function that name is a variant of. Suffixes
// stack: foo.isra.0.constprop.0 is a clone of foo, and foo.isra.0.cold is the cold part
// of one.
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
