package probe

import (
	"cmp"
	"debug/elf"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"trapline/internal/symbol"
)

// A binaryFile is what resolving needs of an ELF file. It holds no open file.
type binaryFile struct {
	path     *binaryPath
	machine  elf.Machine
	isGo     bool
	loaded   []elf.ProgHeader // PT_LOAD segments
	code     []elf.ProgHeader // those that are executable
	dynamic  []elf.Symbol
	indirect map[uint64]bool // addresses of functions that choose an implementation (IFUNC)

	functions func() ([]symbol.Function, error) // by address
	symbols   func() map[string]uint64          // addresses of all symbols of one meaning
	debugData func() (*symbol.DebugData, error) // nil: there is none
}

// openBinary reads a binary's headers and dynamic symbols.
func openBinary(p *binaryPath) (b *binaryFile, err error) {
	// debug/elf is not made for hostile files.
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%s: damaged ELF file: %v", p.resolved, e)
		}
	}()
	f, err := os.Open(p.open)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", p.resolved)
	}
	file, err := elf.NewFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s: not an ELF file: %w", p.resolved, err)
	}
	if !runsHere(file.Machine) {
		return nil, fmt.Errorf("%s: made for %s, not for this machine", p.resolved, file.Machine)
	}
	named, err := symbol.NewELF(f, p.symbolOptions())
	if err != nil {
		return nil, err
	}
	defer named.Close()
	b = &binaryFile{path: p, machine: file.Machine, isGo: named.IsGo(), indirect: make(map[uint64]bool)}
	for _, ph := range file.Progs {
		if ph.Type != elf.PT_LOAD {
			continue
		}
		b.loaded = append(b.loaded, ph.ProgHeader)
		if ph.Flags&elf.PF_X != 0 {
			b.code = append(b.code, ph.ProgHeader)
		}
	}
	b.dynamic, _ = file.DynamicSymbols() // none is no error here
	b.dynamic = slices.DeleteFunc(b.dynamic, func(s elf.Symbol) bool { return s.Section == elf.SHN_UNDEF })
	static, _ := file.Symbols()
	for _, symbols := range [][]elf.Symbol{b.dynamic, static} {
		for _, s := range symbols {
			if elf.ST_TYPE(s.Info) == elf.STT_GNU_IFUNC {
				b.indirect[s.Value] = true
			}
		}
	}
	b.functions = sync.OnceValues(b.readFunctions)
	b.debugData = sync.OnceValues(b.readDebugData)
	b.symbols = sync.OnceValue(b.readSymbols)
	return b, nil
}

func (p *binaryPath) symbolOptions() symbol.Options {
	return symbol.Options{Path: p.shown, Root: p.root, NoLines: true}
}

func runsHere(m elf.Machine) bool {
	switch runtime.GOARCH {
	case "amd64":
		return m == elf.EM_X86_64 || m == elf.EM_386
	case "arm64":
		return m == elf.EM_AARCH64
	}
	return true
}

func (b *binaryFile) readFunctions() ([]symbol.Function, error) {
	f, err := os.Open(b.path.open)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	e, err := symbol.NewELF(f, b.path.symbolOptions())
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return e.Functions()
}

// readSymbols leaves out names that stand for several addresses.
func (b *binaryFile) readSymbols() map[string]uint64 {
	addresses := make(map[string]uint64)
	several := make(map[string]bool)
	defer func() { _ = recover() }() // debug/elf is not made for hostile files
	file, err := elf.Open(b.path.open)
	if err != nil {
		return nil
	}
	defer file.Close()
	static, _ := file.Symbols()
	for _, symbols := range [][]elf.Symbol{static, b.dynamic} {
		for _, s := range symbols {
			if old, known := addresses[s.Name]; known && old != s.Value {
				several[s.Name] = true
			}
			if s.Section != elf.SHN_UNDEF {
				addresses[s.Name] = s.Value
			}
		}
	}
	for name := range several {
		delete(addresses, name)
	}
	return addresses
}

func (b *binaryFile) symbolAddress(name string) (uint64, bool) {
	address, ok := b.symbols()[name]
	return address, ok
}

// holdsCode reports whether a file offset is in an executable segment.
func (b *binaryFile) holdsCode(offset uint64) bool {
	return slices.ContainsFunc(b.code, func(p elf.ProgHeader) bool {
		return offset >= p.Off && offset-p.Off < p.Filesz
	})
}

// find returns the functions of a name, one for each address: linkage name, name
// with version (memcpy@GLIBC_2.2.5), or demangled name.
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
	if len(found) == 0 && strings.ContainsAny(name, ":(<") {
		found = b.filter(all, func(f *symbol.Function) bool { return mangled(f.Name) && symbol.Demangle(f.Name) == name })
	}
	return found, nil
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
	demangle := strings.ContainsAny(name, ":(<")
	scope, _, _ := strings.Cut(name, "(")
	for i := range all {
		switch {
		case demangle && mangled(all[i].Name):
			demangled := symbol.Demangle(all[i].Name)
			if strings.HasPrefix(demangled, scope+"(") {
				near.insert(demangled, 0) // other parameters, or none were given
			} else {
				near.add(demangled)
			}
		case !strings.HasSuffix(all[i].Name, "@plt"):
			near.add(all[i].Name)
		}
	}
	return near.names()
}
