package program

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"trapline/internal/nearest"
	"trapline/internal/symbol"
)

// Find returns the functions of a name, one for each address: linkage name, name
// with version (memcpy@GLIBC_2.2.5), or what C++ and Rust call it, with parameters or
// without.
func (f *File) Find(name string) ([]symbol.Function, error) {
	all, err := f.Functions()
	if err != nil {
		return nil, err
	}
	found := f.choose(name, f.Select(all, func(fn *symbol.Function) bool { return fn.Name == name }))
	if base, version, ok := strings.Cut(name, "@"); ok && len(found) == 0 {
		addresses := f.versioned(base, strings.TrimPrefix(version, "@"))
		found = f.Select(all, func(fn *symbol.Function) bool { return fn.Name == base && addresses[fn.Address] })
	}
	if len(found) == 0 {
		found = f.Select(all, func(fn *symbol.Function) bool {
			return Mangled(fn.Name) && sameSpelling(symbol.Demangle(fn.Name), name)
		})
	}
	if len(found) > 0 || strings.Contains(name, "(") && !strings.HasPrefix(name, "(") {
		return found, nil
	}
	found = f.Select(all, func(fn *symbol.Function) bool {
		return Mangled(fn.Name) && f.MayBeProbed(fn) && sameSpelling(symbol.DemangleName(fn.Name), name)
	})
	return found, overloads(found)
}

// sameSpelling compares names as C++ and Rust write them, wherever blanks stand.
func sameSpelling(a, b string) bool {
	return a == b || strings.ReplaceAll(a, " ", "") == strings.ReplaceAll(b, " ", "")
}

// maxOverloads is how many functions of a name an error lists.
const maxOverloads = 8

// overloads is an error if functions differ in their parameters. Constructors and
// destructors have several of the same.
func overloads(found []symbol.Function) error {
	var names []string
	for i := range found {
		names = append(names, symbol.Demangle(found[i].Name))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) < 2 {
		return nil
	}
	n := len(names)
	if n > maxOverloads {
		names = append(names[:maxOverloads], "…")
	}
	return fmt.Errorf("%d functions are called so: give the parameters, or a pattern for all of them: %s", n, strings.Join(names, ", "))
}

// Select returns the functions that keep accepts, the first one at each address.
func (f *File) Select(all []symbol.Function, keep func(*symbol.Function) bool) []symbol.Function {
	var found []symbol.Function
	for i := range all {
		if keep(&all[i]) {
			found = append(found, all[i])
		}
	}
	slices.SortStableFunc(found, func(x, y symbol.Function) int { return cmp.Compare(x.Address, y.Address) })
	return slices.CompactFunc(found, func(x, y symbol.Function) bool { return x.Address == y.Address })
}

// choose takes, of several functions of one name, the one that the linker takes: the
// name's default version, or else the only global one.
func (f *File) choose(name string, found []symbol.Function) []symbol.Function {
	if len(found) < 2 {
		return found
	}
	for _, s := range f.dynamic {
		if s.Name == name && s.HasVersion && !s.VersionIndex.IsHidden() {
			for _, fn := range found {
				if fn.Address == s.Value {
					return []symbol.Function{fn}
				}
			}
		}
	}
	global := slices.DeleteFunc(slices.Clone(found), func(fn symbol.Function) bool { return !fn.Global })
	if len(global) == 1 {
		return global
	}
	return found
}

// versioned returns the addresses of a name in one version.
func (f *File) versioned(name, version string) map[uint64]bool {
	addresses := make(map[uint64]bool)
	for _, s := range f.dynamic {
		if s.Name == name && s.HasVersion && s.Version == version {
			addresses[s.Value] = true
		}
	}
	return addresses
}

// Mangled reports whether a name is in the form of C++ or Rust.
func Mangled(name string) bool {
	return strings.HasPrefix(name, "_Z") || strings.HasPrefix(name, "_R")
}

// Nearest returns the functions with names similar to one that does not exist.
func (f *File) Nearest(name string) []string {
	all, err := f.Functions()
	if err != nil {
		return nil
	}
	near := nearest.To(name)
	scope, _, _ := strings.Cut(name, "(")
	for i := range all {
		switch {
		case strings.HasSuffix(all[i].Name, "@plt"):
		case Mangled(all[i].Name):
			short := symbol.DemangleName(all[i].Name)
			switch full := symbol.Demangle(all[i].Name); {
			case short == scope: // other parameters
				near.Insert(full, 0)
			case strings.HasSuffix(short, "::"+scope): // in a scope that was not given
				near.Insert(short, 1)
			default:
				near.Add(short)
			}
		default:
			near.Add(all[i].Name)
		}
	}
	return near.Names()
}

// MayBeProbed reports whether a function's entry is a place that is called.
func (f *File) MayBeProbed(g *symbol.Function) bool {
	_, v := SplitVariant(g.Name)
	return v != Cold && !f.indirect[g.Address] && !strings.HasSuffix(g.Name, "@plt") && f.HoldsCode(g.Offset)
}

// DisplayName returns a function's name as people write it, with its offset where
// several functions have the name.
func DisplayName(f *symbol.Function, ambiguous bool) string {
	name := f.Name
	if Mangled(name) {
		name = symbol.Demangle(name)
	}
	if ambiguous {
		name += fmt.Sprintf("@0x%x", f.Offset)
	}
	return name
}

// Variants returns the compiler's variants of a function that are called.
func (f *File) Variants(name string) []symbol.Function {
	all, err := f.functions()
	if err != nil {
		return nil
	}
	return f.Select(all, func(g *symbol.Function) bool {
		base, v := SplitVariant(g.Name)
		return base == name && (v == Clone || v == Part)
	})
}
