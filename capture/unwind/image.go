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
	// sources are asked one after the other. They are opened when they are first needed.
	sources func() []source
}

// A segment is a part of the file that is mapped.
type segment struct {
	elf.ProgHeader
	restorers *restorers
}

// ReadImage reads an ELF image's headers; r must stay readable as long as the image is
// used. Debug files are read when a table is first needed; those that cannot be read are
// ignored.
//
// It is an error if r does not hold an ELF image for x86-64.
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

// CodeSize returns how large the image's code is, in bytes.
func (m *Image) CodeSize() uint64 {
	size := uint64(0)
	for i := range m.loads {
		if m.loads[i].Flags&elf.PF_X != 0 {
			size += m.loads[i].Filesz
		}
	}
	return size
}

// Rule returns the rule at an offset in the file. For a return address the caller asks for the byte before it.
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

// row returns what is known of an address of code.
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

// entryCode is how many bytes of code from an image's entry point on belong to the
// outermost frame, where no table says so. Those of C libraries take 20 to 50.
const entryCode = 64

// starts reports whether code is where the kernel starts the image.
func (m *Image) starts(vaddr uint64) bool { return m.file.Entry != 0 && vaddr-m.file.Entry < entryCode }

// address returns the virtual address of a byte of code in the file.
func (m *Image) address(offset uint64) (vaddr uint64, ok bool) {
	for _, p := range m.loads {
		if p.Flags&elf.PF_X != 0 && offset-p.Off < p.Filesz {
			return offset - p.Off + p.Vaddr, true
		}
	}
	return 0, false
}

// segment returns the segment that holds an address in the file, nil if none does.
func (m *Image) segment(vaddr uint64) *segment {
	for i := range m.loads {
		if p := &m.loads[i]; vaddr-p.Vaddr < p.Filesz {
			return p
		}
	}
	return nil
}

// executable reports whether there is code at an address.
func (m *Image) executable(vaddr uint64) bool {
	p := m.segment(vaddr)
	return p != nil && p.Flags&elf.PF_X != 0
}
