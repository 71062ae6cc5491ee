package unwind

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"sync"

	"trapline/internal/elffile"
)

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

// openSources returns the unwind information of an image, the most trusted first.
// .eh_frame is for unwinding at run time and always loaded; .debug_frame is for debuggers.
func (m *Image) openSources(debug []io.ReaderAt) []source {
	var sources []source
	if s := m.openGoTable(); s != nil {
		sources = append(sources, s)
	}
	if s := m.openEHFrame(); s != nil {
		sources = append(sources, s)
	}
	if s := m.openDebugFrame(m.file); s != nil {
		sources = append(sources, s)
	}
	for _, r := range debug {
		if f, err := elffile.Open(r); err == nil {
			if s := m.openDebugFrame(f); s != nil {
				sources = append(sources, s)
			}
		}
	}
	return append(sources, m.openPLT()...)
}

// openEHFrame opens .eh_frame. It returns nil if there is none.
func (m *Image) openEHFrame() source {
	table := frameTable{eh: true}
	if s := m.file.Section(".text"); s != nil {
		table.text = s.Addr
	}
	if s := m.file.Section(".got"); s != nil {
		table.data = s.Addr
	}
	// The program header exists even without section headers: in the vdso's memory and in
	// files stripped of them.
	for _, p := range m.file.Progs {
		if p.Type != elf.PT_GNU_EH_FRAME {
			continue
		}
		seg := m.segment(p.Vaddr)
		if seg == nil {
			continue
		}
		at := p.Vaddr - seg.Vaddr
		frames, s, ok := readHeader(newSection(m.file.R, seg.Off+at, p.Vaddr, min(p.Filesz, seg.Filesz-at)))
		if !ok {
			continue
		}
		if s != nil {
			// Entries are found by address, so the whole segment can stand in for the section.
			if seg = m.segment(frames); seg != nil {
				table.section = newSection(m.file.R, seg.Off, seg.Vaddr, seg.Filesz)
				s.frameTable = table
				return s
			}
			continue
		}
		if m.file.Section(".eh_frame") == nil {
			if seg = m.segment(frames); seg != nil {
				at := frames - seg.Vaddr
				table.section = newSection(m.file.R, seg.Off+at, frames, seg.Filesz-at)
				table.terminated = true
				return newFrameIndex(table, m.executable)
			}
		}
	}
	if s := m.file.Section(".eh_frame"); s != nil {
		table.section = newSection(m.file.R, s.Offset, s.Addr, s.Size)
		return newFrameIndex(table, m.executable)
	}
	return nil
}

// openDebugFrame opens .debug_frame of the image or its debug file. It returns nil if
// there is none or it cannot be decompressed.
func (m *Image) openDebugFrame(f *elffile.File) source {
	s := f.Section(".debug_frame")
	if s == nil {
		return nil
	}
	table := frameTable{section: newSection(f.R, s.Offset, 0, s.Size)}
	if s.Flags&elf.SHF_COMPRESSED != 0 {
		b, err := f.Contents(s)
		if err != nil {
			return nil
		}
		table.section = newSection(bytes.NewReader(b), 0, 0, uint64(len(b)))
	}
	return newFrameIndex(table, m.executable)
}
