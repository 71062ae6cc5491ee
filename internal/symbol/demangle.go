package symbol

import (
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// maxDemangle bounds the names that are demangled: longer ones cost time out of
// proportion to what anyone reads of them.
const maxDemangle = 4 << 10

// Demangle returns the source form of a C++ or Rust linkage name. Other names are
// returned as they are.
func Demangle(name string) string { return demangleWith(name) }

// DemangleName is Demangle without parameters and what a function returns.
func DemangleName(name string) string { return demangleWith(name, demangle.NoParams) }

func demangleWith(name string, options ...demangle.Option) string {
	if len(name) > maxDemangle {
		return name
	}
	mangled, suffix := name, ""
	if !strings.HasPrefix(name, "_Z") && !strings.HasPrefix(name, "_R") && !strings.HasPrefix(name, "__Z") {
		return name
	}
	// A symbol's role (foo@plt) is no part of the mangled name.
	if i := strings.IndexByte(name, '@'); i >= 0 {
		mangled, suffix = name[:i], name[i:]
	}
	out, err := demangle.ToString(mangled, options...)
	if err != nil {
		return name
	}
	return out + suffix
}
