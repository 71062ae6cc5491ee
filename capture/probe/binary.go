package probe

import (
	"debug/elf"
	"fmt"
	"os"
	"runtime"
	"slices"
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
	stripped bool            // it has no symbols of its own but those that it exports

	functions func() ([]symbol.Function, error) // by address
	symbols   func() map[string]uint64          // addresses of all symbols of one meaning
	debugData func() (*symbol.DebugData, error) // nil: there is none
	taskComm  func() (place, error)             // the current task's name, in the kernel
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
	b = &binaryFile{path: p, machine: file.Machine, isGo: named.IsGo()}
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
	b.stripped = len(static) == 0 && !b.isGo && !named.HasDebugFile()
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
