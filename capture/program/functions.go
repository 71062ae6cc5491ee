package program

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"trapline/internal/nearest"
	"trapline/internal/symbol"
)

// Find returns the functions with a name, one for each address. The name is a linkage
// name, a name with version (memcpy@GLIBC_2.2.5), or a C++ or Rust name with or without
// parameters.
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

// sameSpelling compares C++ or Rust names, ignoring blanks.
func sameSpelling(a, b string) bool {
	return a == b || strings.ReplaceAll(a, " ", "") == strings.ReplaceAll(b, " ", "")
}

// maxOverloads is the maximum number of functions that an error lists.
const maxOverloads = 8

// overloads returns an error if the functions have different parameters. Constructors and
// destructors exist several times with the same ones.
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
	return fmt.Errorf("%d functions have this name: give the parameters, or a pattern for all of them: %s", n, strings.Join(names, ", "))
}

// Select returns the functions that keep accepts, only the first one at each address.
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

// choose picks the function that the linker would: the default version of the name, or
// else the only global function.
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

// versioned returns the addresses of a name with a symbol version.
func (f *File) versioned(name, version string) map[uint64]bool {
	addresses := make(map[uint64]bool)
	for _, s := range f.dynamic {
		if s.Name == name && s.HasVersion && s.Version == version {
			addresses[s.Value] = true
		}
	}
	return addresses
}

// Mangled reports whether a name is mangled as in C++ or Rust.
func Mangled(name string) bool {
	return strings.HasPrefix(name, "_Z") || strings.HasPrefix(name, "_R")
}

// Nearest returns the names of functions most similar to name.
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
			case short == scope: // with other parameters
				near.Insert(full, 0)
			case strings.HasSuffix(short, "::"+scope): // in a scope that was left out
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

// MayBeProbed reports whether the entry of a function is called.
func (f *File) MayBeProbed(g *symbol.Function) bool {
	_, v := SplitVariant(g.Name)
	return v != Cold && !f.indirect[g.Address] && !strings.HasSuffix(g.Name, "@plt") && f.HoldsCode(g.Offset)
}

// DisplayName returns the name of a function for people to read. If the name is
// ambiguous, it includes the file offset.
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

// Variants returns the variants of a function that are called.
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
