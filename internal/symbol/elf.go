package symbol

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// An ELF names the code of one ELF image. Its tables are read when they are first
// needed. All methods but Close may be called concurrently.
type ELF struct {
	*object
	opt       Options
	buildID   []byte
	goBuildID string
	loads     []elf.ProgHeader // PT_LOAD, executable ones first

	debug     func() *object        // separate debug file; nil: none found
	mini      func() *object        // mini debug info; nil: none
	functions func() *functionTable // never nil
	goTable   func() *goTable       // nil: not a Go program
	dwarf     func() *dwarfData     // nil: no debug information

	mu     sync.Mutex
	opened []io.Closer
}

// NewELF prepares the ELF image that r holds. It reads headers only; the image
// must stay readable until Close. Close does not close r.
func NewELF(r io.ReaderAt, opt Options) (e *ELF, err error) {
	defer guard("reading ELF image", &err)
	if opt.DebugDirs == nil {
		opt.DebugDirs = []string{"/usr/lib/debug"}
	}
	obj, err := newObject(r, new(meter))
	if err != nil {
		return nil, fmt.Errorf("reading ELF image %q: %w", opt.Path, err)
	}
	e = &ELF{object: obj, opt: opt}
	for _, p := range obj.file.Progs {
		h := p.ProgHeader
		if h.Type == elf.PT_LOAD && h.Filesz > 0 && h.Off+h.Filesz > h.Off && h.Vaddr+h.Filesz > h.Vaddr {
			e.loads = append(e.loads, h)
		}
	}
	slices.SortStableFunc(e.loads, func(a, b elf.ProgHeader) int {
		return cmp.Compare(b.Flags&elf.PF_X, a.Flags&elf.PF_X)
	})
	e.buildID, e.goBuildID = obj.notes()
	e.debug = sync.OnceValue(e.findDebugFile)
	e.mini = sync.OnceValue(e.readMiniDebug)
	e.functions = sync.OnceValue(e.readFunctions)
	e.goTable = sync.OnceValue(e.readGoTable)
	e.dwarf = sync.OnceValue(e.readDWARF)
	return e, nil
}

// Close releases the debug files that were opened on the way.
func (e *ELF) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, c := range e.opened {
		errs = append(errs, c.Close())
	}
	e.opened = nil
	return errors.Join(errs...)
}

// BuildID returns the GNU build ID, nil when the image has none.
func (e *ELF) BuildID() []byte { return bytes.Clone(e.buildID) }

// GoBuildID returns the build ID that Go's linker wrote, "" when there is none.
func (e *ELF) GoBuildID() string { return e.goBuildID }

// IsGo reports whether the image holds code compiled by Go's own compiler.
func (e *ELF) IsGo() bool {
	return e.goBuildID != "" || e.section(".gopclntab") != nil ||
		e.section(".data.rel.ro.gopclntab") != nil || e.section(".go.buildinfo") != nil
}

// HasDebugFile reports whether the image's separate debug file is installed.
func (e *ELF) HasDebugFile() bool { return e.debug() != nil }

// DebugFiles returns the contents of the separate debug file and of mini debug info, as
// far as the image has them. They can be read until Close.
func (e *ELF) DebugFiles() (files []io.ReaderAt) {
	for _, find := range []func() *object{e.debug, e.mini} {
		if o := find(); o != nil {
			files = append(files, o.r)
		}
	}
	return files
}

// FileOffset returns where in the file the byte at a virtual address is.
func (e *ELF) FileOffset(vaddr uint64) (uint64, bool) {
	for _, p := range e.loads {
		if vaddr >= p.Vaddr && vaddr-p.Vaddr < p.Filesz {
			return vaddr - p.Vaddr + p.Off, true
		}
	}
	return 0, false
}

// Address returns the virtual address, as linked, of a byte of the file.
func (e *ELF) Address(fileOffset uint64) (uint64, bool) {
	for _, p := range e.loads {
		if fileOffset >= p.Off && fileOffset-p.Off < p.Filesz {
			return fileOffset - p.Off + p.Vaddr, true
		}
	}
	return 0, false
}

// Functions lists the named functions of .symtab, .dynsym, Go's table, the separate
// debug file and mini debug info, aliases included, by ascending address. A damaged table
// contributes nothing.
func (e *ELF) Functions() (fns []Function, err error) {
	defer guard("listing functions", &err)
	return e.functions().list(e), nil
}

// Lookup names the code at an offset of the file, innermost call first: all calls
// but the last were inlined into the next one. It returns nil when nothing there
// has a name.
func (e *ELF) Lookup(fileOffset uint64) (calls []Call) {
	var err error
	defer func() {
		if err != nil {
			calls = nil
		}
	}()
	defer guard("naming code", &err)
	addr, ok := e.Address(fileOffset)
	if !ok {
		return nil
	}
	if !e.opt.NoLines {
		calls = e.lines(addr)
	}
	if sym := e.functions().find(addr); sym != nil {
		if len(calls) == 0 {
			calls = make([]Call, 1)
		}
		// The table's name tells parts and clones of a function apart (foo.cold),
		// which debug information gives one name. Names are copied, as they would
		// keep the whole table in memory.
		last := &calls[len(calls)-1]
		last.Function, last.Offset = strings.Clone(sym.name), addr-sym.addr
	}
	if len(calls) > 0 && calls[len(calls)-1].Function == "" {
		return nil
	}
	return calls
}

// lines returns what DWARF says of an address, or else Go's table: it alone has the
// lines of what Go's compiler generated.
func (e *ELF) lines(addr uint64) []Call {
	var calls []Call
	if d := e.dwarf(); d != nil {
		calls = d.calls(addr)
	}
	if len(calls) > 0 && calls[0].Line > 0 {
		return calls
	}
	if t := e.goTable(); t != nil {
		if byTable := t.calls(addr); len(byTable) > 0 {
			return byTable
		}
	}
	return calls
}

// executable reports whether the image's code includes an address.
func (e *ELF) executable(addr uint64) bool {
	for _, p := range e.loads {
		if p.Flags&elf.PF_X != 0 && addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			return true
		}
	}
	return false
}

// guard turns a panic into an error: debug/elf is not made for hostile files.
func guard(doing string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: damaged file: %v", doing, r)
	}
}
