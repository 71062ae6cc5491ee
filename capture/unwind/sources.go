package unwind

import (
	"bytes"
	"debug/elf"
	"io"

	"trapline/internal/elffile"
)

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
