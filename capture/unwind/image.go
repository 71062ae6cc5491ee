package unwind

import (
	"debug/elf"
	"fmt"
	"io"
	"sync"

	"trapline/internal/elffile"
)

// An Image is the unwind information of one ELF image. All methods may be called
// concurrently.
type Image struct {
	file  *elffile.File
	loads []segment // PT_LOAD
	// sources are tried in order. They are opened on first use.
	sources func() []source
}

// A segment is a mapped part of the file.
type segment struct {
	elf.ProgHeader
	restorers *restorers
}

// ReadImage reads the headers of an ELF image. r, and the separate debug file if one is
// given, must stay readable as long as the image is used. Images for other machines than
// x86-64 are an error.
func ReadImage(r io.ReaderAt, debug ...io.ReaderAt) (*Image, error) {
	f, err := elffile.Open(r)
	if err != nil {
		return nil, fmt.Errorf("reading unwind information: %w", err)
	}
	if f.Machine != elf.EM_X86_64 || f.Class != elf.ELFCLASS64 {
		return nil, fmt.Errorf("reading unwind information: the image is for %v, %v; only 64-bit x86-64 is known", f.Machine, f.Class)
	}
	m := &Image{file: f}
	for _, p := range f.Progs {
		if h := p.ProgHeader; h.Type == elf.PT_LOAD && h.Filesz > 0 && h.Off+h.Filesz > h.Off && h.Vaddr+h.Filesz > h.Vaddr {
			m.loads = append(m.loads, segment{h, newRestorers(f.R, &h)})
		}
	}
	m.sources = sync.OnceValue(func() []source { return m.openSources(debug) })
	return m, nil
}

// CodeSize returns the size of the image's code in bytes.
func (m *Image) CodeSize() uint64 {
	size := uint64(0)
	for i := range m.loads {
		if m.loads[i].Flags&elf.PF_X != 0 {
			size += m.loads[i].Filesz
		}
	}
	return size
}

// Rule returns the rule at an offset of the file. For a return address, pass the offset of the byte before it.
func (m *Image) Rule(offset uint64) Rule {
	vaddr, ok := m.address(offset)
	if !ok {
		return Rule{}
	}
	r, ok := m.row(vaddr)
	if !ok {
		return Rule{}
	}
	return r.rule(vaddr)
}

// row returns the row at an address, from the first source that has one.
func (m *Image) row(vaddr uint64) (row, bool) {
	var r row
	var found bool
	for _, s := range m.sources() {
		if r, found = s.row(vaddr); found {
			break
		}
	}
	if m.returnsFromSignal(vaddr, found && !r.signal) {
		return row{kind: RuleSignal}, true
	}
	if !found && m.starts(vaddr) {
		return row{kind: RuleEnd}, true
	}
	return r, found
}

// entryCode is the number of bytes from an image's entry point that belong to the
// outermost frame if no table covers them. Entry code of C libraries has 20 to 50 bytes.
const entryCode = 64

// starts reports whether an address is in the code at the entry point.
func (m *Image) starts(vaddr uint64) bool { return m.file.Entry != 0 && vaddr-m.file.Entry < entryCode }

// address returns the virtual address of a byte of code of the file.
func (m *Image) address(offset uint64) (vaddr uint64, ok bool) {
	for _, p := range m.loads {
		if p.Flags&elf.PF_X != 0 && offset-p.Off < p.Filesz {
			return offset - p.Off + p.Vaddr, true
		}
	}
	return 0, false
}

// segment returns the segment whose file contents include an address, or nil.
func (m *Image) segment(vaddr uint64) *segment {
	for i := range m.loads {
		if p := &m.loads[i]; vaddr-p.Vaddr < p.Filesz {
			return p
		}
	}
	return nil
}

// executable reports whether an address is in an executable segment.
func (m *Image) executable(vaddr uint64) bool {
	p := m.segment(vaddr)
	return p != nil && p.Flags&elf.PF_X != 0
}
