package probe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"debug/elf"

	"trapline/internal/symbol"
)

// find returns the functions of a name, one for each address: linkage name, name
// with version (memcpy@GLIBC_2.2.5), or what C++ and Rust call it, with parameters or
// without.
func (b *binaryFile) find(name string) ([]symbol.Function, error) {
	all, err := b.functions()
	if err != nil {
		return nil, err
	}
	found := b.choose(name, b.filter(all, func(f *symbol.Function) bool { return f.Name == name }))
	if base, version, ok := strings.Cut(name, "@"); ok && len(found) == 0 {
		addresses := b.versioned(base, strings.TrimPrefix(version, "@"))
		found = b.filter(all, func(f *symbol.Function) bool { return f.Name == base && addresses[f.Address] })
	}
	if len(found) == 0 {
		found = b.filter(all, func(f *symbol.Function) bool {
			return mangled(f.Name) && sameSpelling(symbol.Demangle(f.Name), name)
		})
	}
	if len(found) > 0 || strings.Contains(name, "(") && !strings.HasPrefix(name, "(") {
		return found, nil
	}
	found = b.filter(all, func(f *symbol.Function) bool {
		return mangled(f.Name) && b.mayBeProbed(f) && sameSpelling(symbol.DemangleName(f.Name), name)
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

// filter returns the functions that keep accepts, the first one at each address.
func (b *binaryFile) filter(all []symbol.Function, keep func(*symbol.Function) bool) []symbol.Function {
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
func (b *binaryFile) choose(name string, found []symbol.Function) []symbol.Function {
	if len(found) < 2 {
		return found
	}
	for _, s := range b.dynamic {
		if s.Name == name && s.HasVersion && !s.VersionIndex.IsHidden() {
			for _, f := range found {
				if f.Address == s.Value {
					return []symbol.Function{f}
				}
			}
		}
	}
	global := slices.DeleteFunc(slices.Clone(found), func(f symbol.Function) bool { return !f.Global })
	if len(global) == 1 {
		return global
	}
	return found
}

// versioned returns the addresses of a name in one version.
func (b *binaryFile) versioned(name, version string) map[uint64]bool {
	addresses := make(map[uint64]bool)
	for _, s := range b.dynamic {
		if s.Name == name && s.HasVersion && s.Version == version {
			addresses[s.Value] = true
		}
	}
	return addresses
}

// mangled reports whether a name is in the form of C++ or Rust.
func mangled(name string) bool {
	return strings.HasPrefix(name, "_Z") || strings.HasPrefix(name, "_R")
}

// nearest returns the functions with names similar to one that does not exist.
func (b *binaryFile) nearest(name string) []string {
	all, err := b.functions()
	if err != nil {
		return nil
	}
	near := newNearest(name)
	scope, _, _ := strings.Cut(name, "(")
	for i := range all {
		switch {
		case strings.HasSuffix(all[i].Name, "@plt"):
		case mangled(all[i].Name):
			short := symbol.DemangleName(all[i].Name)
			switch full := symbol.Demangle(all[i].Name); {
			case short == scope: // other parameters
				near.insert(full, 0)
			case strings.HasSuffix(short, "::"+scope): // in a scope that was not given
				near.insert(short, 1)
			default:
				near.add(short)
			}
		default:
			near.add(all[i].Name)
		}
	}
	return near.names()
}

// indirectSymbols returns the addresses of functions that choose an implementation.
func indirectSymbols(tables ...[]elf.Symbol) map[uint64]bool {
	indirect := make(map[uint64]bool)
	for _, symbols := range tables {
		for _, s := range symbols {
			if elf.ST_TYPE(s.Info) == elf.STT_GNU_IFUNC {
				indirect[s.Value] = true
			}
		}
	}
	return indirect
}
