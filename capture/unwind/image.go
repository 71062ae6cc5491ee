package unwind

import (
	"debug/elf"

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

// readCode reads code at a virtual address and returns the number of bytes read.
func (m *Image) readCode(vaddr uint64, b []byte) int {
	p := m.segment(vaddr)
	if p == nil {
		return 0
	}
	at := vaddr - p.Vaddr
	n, _ := m.file.R.ReadAt(b[:min(uint64(len(b)), p.Filesz-at)], int64(p.Off+at))
	return n
}
