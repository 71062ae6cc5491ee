package program

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"

	"trapline/capture/locate"
	"trapline/capture/unwind"
	"trapline/internal/symbol"
)

// A File is a program or library. It is indexed once, by the first question that needs
// it, and stays open from then on until Close.
type File struct {
	Path     *locate.File
	Machine  elf.Machine
	IsGo     bool
	Stripped bool // it has only the symbols that it exports

	loaded   []elf.ProgHeader // PT_LOAD segments
	code     []elf.ProgHeader // executable segments
	dynamic  []elf.Symbol
	indirect map[uint64]bool // addresses of IFUNCs

	index     func() (*symbol.ELF, error)
	functions func() ([]symbol.Function, error)
	symbols   func() map[string]uint64 // addresses of all unambiguous symbols
	debugData func() (*symbol.DebugData, error)
	unwinding func() (*unwind.Image, error)

	opened []io.Closer
}

// Open reads the headers and dynamic symbols of a file.
func Open(p *locate.File) (b *File, err error) {
	// debug/elf may panic on damaged files.
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
	b.dynamic, _ = file.DynamicSymbols() // a file without any is not an error
	b.dynamic = slices.DeleteFunc(b.dynamic, func(s elf.Symbol) bool { return s.Section == elf.SHN_UNDEF })
	static, _ := file.Symbols()
	b.indirect = indirectSymbols(b.dynamic, static)
	b.Stripped = len(static) == 0 && !b.IsGo && !named.HasDebugFile()
	b.index = sync.OnceValues(b.openIndex)
	b.functions = sync.OnceValues(b.readFunctions)
	b.debugData = sync.OnceValues(b.readDebugData)
	b.unwinding = sync.OnceValues(b.openUnwinding)
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

// Functions returns the functions of the file, sorted by address.
func (f *File) Functions() ([]symbol.Function, error) { return f.functions() }

func (f *File) readFunctions() ([]symbol.Function, error) {
	e, err := f.index()
	if err != nil {
		return nil, err
	}
	return e.Functions()
}

// openIndex opens the symbols and the debug information.
func (f *File) openIndex() (*symbol.ELF, error) {
	file, err := os.Open(f.Path.Open)
	if err != nil {
		return nil, err
	}
	f.opened = append(f.opened, file)
	e, err := symbol.NewELF(file, symbolOptions(f.Path))
	if err != nil {
		return nil, err
	}
	f.opened = append(f.opened, e)
	return e, nil
}

// openUnwinding opens the unwind tables.
func (f *File) openUnwinding() (*unwind.Image, error) {
	file, err := os.Open(f.Path.Open)
	if err != nil {
		return nil, err
	}
	f.opened = append(f.opened, file)
	return unwind.ReadImage(file)
}

// Close closes the file. Only what was read before can be asked for afterwards.
func (f *File) Close() error {
	var errs []error
	for _, c := range slices.Backward(f.opened) {
		errs = append(errs, c.Close())
	}
	f.opened = nil
	return errors.Join(errs...)
}

// readSymbols returns the addresses of all symbols whose names are unambiguous.
func (f *File) readSymbols() map[string]uint64 {
	addresses := make(map[string]uint64)
	several := make(map[string]bool)
	defer func() { _ = recover() }() // debug/elf may panic on damaged files
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

// SymbolAddress returns the address of a symbol if its name is unambiguous.
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

// Address returns the link-time address of the byte at a file offset.
func (f *File) Address(offset uint64) (uint64, bool) {
	for _, p := range f.loaded {
		if offset >= p.Off && offset-p.Off < p.Filesz {
			return p.Vaddr + offset - p.Off, true
		}
	}
	return 0, false
}

// Offset returns the file offset of the byte at a link-time address.
func (f *File) Offset(address uint64) (uint64, bool) {
	for _, p := range f.loaded {
		if address >= p.Vaddr && address-p.Vaddr < p.Filesz {
			return address - p.Vaddr + p.Off, true
		}
	}
	return 0, false
}

// maxDebugInfo is the maximum size in bytes of the debug information read for arguments.
const maxDebugInfo = 512 << 20

// DebugData returns the debug information of the file or of its separate debug file, or
// nil if there is none.
func (f *File) DebugData() (*symbol.DebugData, error) { return f.debugData() }

func (f *File) readDebugData() (*symbol.DebugData, error) {
	e, err := f.index()
	if err != nil {
		return nil, err
	}
	return e.DebugData(maxDebugInfo)
}

// indirectSymbols returns the addresses of IFUNCs.
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
