package symbol

import (
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// maxDemangle is the maximum length of names that are demangled. Longer names take too much
// time.
const maxDemangle = 4 << 10

// Demangle returns the source form of a C++ or Rust linkage name. It returns other names
// unchanged.
func Demangle(name string) string { return demangleWith(name) }

// DemangleName is like Demangle, without parameters and return type.
func DemangleName(name string) string { return demangleWith(name, demangle.NoParams) }

func demangleWith(name string, options ...demangle.Option) string {
	if len(name) > maxDemangle {
		return name
	}
	mangled, suffix := name, ""
	if !strings.HasPrefix(name, "_Z") && !strings.HasPrefix(name, "_R") && !strings.HasPrefix(name, "__Z") {
		return name
	}
	// A suffix such as @plt is not part of the mangled name.
	if i := strings.IndexByte(name, '@'); i >= 0 {
		mangled, suffix = name[:i], name[i:]
	}
	out, err := demangle.ToString(mangled, options...)
	if err != nil {
		return name
	}
	return out + suffix
}
