package program

import (
	"debug/elf"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"trapline/capture/locate"
	"trapline/capture/unwind"
	"trapline/internal/symbol"
)

// A File is a program or library. It holds no open file.
type File struct {
	Path     *locate.File
	Machine  elf.Machine
	IsGo     bool
	Stripped bool // it has no symbols of its own but those that it exports

	loaded   []elf.ProgHeader // PT_LOAD segments
	code     []elf.ProgHeader // those that are executable
	dynamic  []elf.Symbol
	indirect map[uint64]bool // addresses of IFUNCs

	functions func() ([]symbol.Function, error)
	symbols   func() map[string]uint64 // addresses of all symbols of one meaning
	debugData func() (*symbol.DebugData, error)
	unwinding func() *unwind.Image // nil: it cannot be read
}

// Open reads a file's headers and dynamic symbols.
func Open(p *locate.File) (b *File, err error) {
	// debug/elf is not made for hostile files.
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%s: damaged ELF file: %v", p.Resolved, e)
		}
	}()
	f, err := os.Open(p.Open)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", p.Resolved)
	}
	file, err := elf.NewFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s: not an ELF file: %w", p.Resolved, err)
	}
	if !runsHere(file.Machine) {
		return nil, fmt.Errorf("%s: made for %s, not for this machine", p.Resolved, file.Machine)
	}
	named, err := symbol.NewELF(f, symbolOptions(p))
	if err != nil {
		return nil, err
	}
	defer named.Close()
	b = &File{Path: p, Machine: file.Machine, IsGo: named.IsGo()}
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
	b.indirect = indirectSymbols(b.dynamic, static)
	b.Stripped = len(static) == 0 && !b.IsGo && !named.HasDebugFile()
	b.functions = sync.OnceValues(b.readFunctions)
	b.debugData = sync.OnceValues(b.readDebugData)
	b.unwinding = sync.OnceValue(b.readUnwinding)
	b.symbols = sync.OnceValue(b.readSymbols)
	return b, nil
}

func symbolOptions(p *locate.File) symbol.Options {
	return symbol.Options{Path: p.Shown, Root: p.Root, NoLines: true}
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

// Functions returns the file's functions by address.
func (f *File) Functions() ([]symbol.Function, error) { return f.functions() }

func (f *File) readFunctions() (functions []symbol.Function, err error) {
	err = f.symbolized(func(e *symbol.ELF) error {
		functions, err = e.Functions()
		return err
	})
	return functions, err
}

// symbolized opens the file for questions about its symbols.
func (f *File) symbolized(ask func(*symbol.ELF) error) error {
	file, err := os.Open(f.Path.Open)
	if err != nil {
		return err
	}
	defer file.Close()
	e, err := symbol.NewELF(file, symbolOptions(f.Path))
	if err != nil {
		return err
	}
	defer e.Close()
	return ask(e)
}

// readSymbols leaves out names that stand for several addresses.
func (f *File) readSymbols() map[string]uint64 {
	addresses := make(map[string]uint64)
	several := make(map[string]bool)
	defer func() { _ = recover() }() // debug/elf is not made for hostile files
	file, err := elf.Open(f.Path.Open)
	if err != nil {
		return nil
	}
	defer file.Close()
	static, _ := file.Symbols()
	for _, symbols := range [][]elf.Symbol{static, f.dynamic} {
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

// SymbolAddress returns the address of a symbol that has one meaning.
func (f *File) SymbolAddress(name string) (uint64, bool) {
	address, ok := f.symbols()[name]
	return address, ok
}

// HoldsCode reports whether a file offset is in an executable segment.
func (f *File) HoldsCode(offset uint64) bool {
	return slices.ContainsFunc(f.code, func(p elf.ProgHeader) bool {
		return offset >= p.Off && offset-p.Off < p.Filesz
	})
}

// Address returns where the byte at a file offset is linked to lie.
func (f *File) Address(offset uint64) (uint64, bool) {
	for _, p := range f.loaded {
		if offset >= p.Off && offset-p.Off < p.Filesz {
			return p.Vaddr + offset - p.Off, true
		}
	}
	return 0, false
}

// Offset returns where the byte at an address is in the file.
func (f *File) Offset(address uint64) (uint64, bool) {
	for _, p := range f.loaded {
		if address >= p.Vaddr && address-p.Vaddr < p.Filesz {
			return address - p.Vaddr + p.Off, true
		}
	}
	return 0, false
}

// maxDebugInfo bounds the debug information that is read for arguments, in bytes.
const maxDebugInfo = 512 << 20

// DebugData returns the debug information of the file or of its debug file; nil: there
// is none.
func (f *File) DebugData() (*symbol.DebugData, error) { return f.debugData() }

func (f *File) readDebugData() (d *symbol.DebugData, err error) {
	err = f.symbolized(func(e *symbol.ELF) error {
		d, err = e.DebugData(maxDebugInfo)
		return err
	})
	return d, err
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

// readUnwinding indexes the tables by which stacks through the file are unwound.
func (f *File) readUnwinding() *unwind.Image {
	file, err := os.Open(f.Path.Open)
	if err != nil {
		return nil
	}
	defer file.Close()
	image, err := unwind.ReadImage(file)
	if err != nil {
		return nil
	}
	return image
}
