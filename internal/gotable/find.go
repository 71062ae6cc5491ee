package gotable

import (
	"bytes"
	"debug/elf"

	"trapline/internal/elffile"
)

// Word offsets in runtime.moduledata since Go 1.20. Go 1.18 and 1.19 lack two words before
// funcData.
const (
	moduleTable    = 0
	moduleNames    = 1
	moduleText     = 22
	moduleFuncData = 40
	moduleWords    = 41
)

// Open finds and checks the table of an image. It returns nil if there is none.
func Open(f *elffile.File) (t *Table) {
	defer func() { // debug/elf may panic on damaged files
		if recover() != nil {
			t = nil
		}
	}()
	if f.Class != elf.ELFCLASS64 && f.Class != elf.ELFCLASS32 {
		return nil
	}
	addr := uint64(0)
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab"} {
		if s := f.Section(name); s != nil {
			if data, err := f.Contents(s); err == nil {
				t, addr = parse(f.ByteOrder, data), s.Addr
			}
		}
	}
	if t == nil && isGo(f) {
		t, addr = scan(f)
	}
	if t == nil {
		return nil
	}
	t.applyModule(f, addr)
	if t.version != version116 && t.text == 0 {
		// Without moduledata, assume that Go code starts the section.
		if s := f.Section(".text"); s != nil {
			t.text = s.Addr
		}
	}
	return t
}

// isGo reports whether an image has marks of Go's linker other than the table.
func isGo(f *elffile.File) bool {
	if f.Section(".go.buildinfo") != nil {
		return true
	}
	const maxNotes = 64 << 10
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		// Go's build ID is in a note with this owner.
		if b, err := elffile.ReadRange(f.R, p.Off, min(p.Filesz, maxNotes)); err == nil && bytes.Contains(b, []byte("Go\x00\x00")) {
			return true
		}
	}
	return false
}

// loads returns the segments with contents, executable segments first.
func loads(f *elffile.File) []elf.ProgHeader {
	var code, data []elf.ProgHeader
	for _, p := range f.Progs {
		h := p.ProgHeader
		switch {
		case h.Type != elf.PT_LOAD || h.Filesz == 0 || h.Off+h.Filesz <= h.Off || h.Vaddr+h.Filesz <= h.Vaddr:
		case h.Flags&elf.PF_X != 0:
			code = append(code, h)
		default:
			data = append(data, h)
		}
	}
	return append(code, data...)
}

// scan searches the segments for the header of the table. It is for images without section
// headers.
func scan(f *elffile.File) (*Table, uint64) {
	const chunk, header = 1 << 20, 8 + 8*8
	pattern := []byte{0xff, 0xff, 0xff, 0, 0} // the magic's upper bytes and the padding
	for _, p := range loads(f) {
		for off := uint64(0); off < p.Filesz; off += chunk {
			b, err := elffile.ReadRange(f.R, p.Off+off, min(chunk+header, p.Filesz-off))
			if err != nil {
				break
			}
			for at := 0; ; {
				i := bytes.Index(b[at:], pattern)
				if i < 0 {
					break
				}
				at += i + 1
				start := at - 2
				if start < 0 || start+8 > len(b) || (p.Vaddr+off+uint64(start))%8 != 0 || !plausible(b[start:]) {
					continue
				}
				from := off + uint64(start)
				data, err := elffile.ReadRange(f.R, p.Off+from, min(p.Filesz-from, maxTable))
				if err != nil {
					continue
				}
				if t := parse(f.ByteOrder, data); t != nil {
					return t, p.Vaddr + from
				}
			}
		}
	}
	return nil, 0
}

// plausible reports whether bytes may be a little-endian header.
func plausible(b []byte) bool {
	switch {
	case b[0] != version116&0xff && b[0] != version118&0xff && b[0] != version120&0xff:
	case b[6] != 1 && b[6] != 2 && b[6] != 4:
	case b[7] != 4 && b[7] != 8:
	default:
		return true
	}
	return false
}

// applyModule reads the addresses of the text and of the functions' data from the
// runtime.moduledata that points to the table.
func (t *Table) applyModule(f *elffile.File, addr uint64) {
	if t.ptrSize != 8 || t.version == version116 {
		return
	}
	relocated := relativeRelocs(f)
	candidates := relocated.at(addr)
	pointer := make([]byte, 8)
	t.order.PutUint64(pointer, addr)
	segments := loads(f)
	for _, p := range segments {
		if p.Flags&elf.PF_W == 0 {
			continue
		}
		data, err := elffile.ReadRange(f.R, p.Off, p.Filesz)
		if err != nil {
			continue
		}
		for at := 0; ; {
			i := bytes.Index(data[at:], pointer)
			if i < 0 {
				break
			}
			at += i + 1
			if place := p.Vaddr + uint64(at-1); place%8 == 0 {
				candidates = append(candidates, place)
			}
		}
	}
	executable := func(addr uint64) bool {
		p := segmentOf(segments, addr, 1)
		return p != nil && p.Flags&elf.PF_X != 0
	}
	for _, place := range candidates {
		p := segmentOf(segments, place, moduleWords*8)
		if p == nil {
			continue
		}
		raw, err := elffile.ReadRange(f.R, p.Off+(place-p.Vaddr), moduleWords*8)
		if err != nil {
			continue
		}
		word := func(i int) uint64 {
			if v, ok := relocated[place+uint64(i)*8]; ok {
				return v
			}
			return t.order.Uint64(raw[i*8:])
		}
		names := word(moduleNames)
		if word(moduleTable) != addr || names <= addr || names-addr > maxTable || !executable(word(moduleText)) {
			continue
		}
		t.text = word(moduleText)
		if t.version == version120 {
			t.funcData = word(moduleFuncData)
		}
		return
	}
}

// segmentOf returns the segment whose contents include n bytes at an address, or nil.
func segmentOf(segments []elf.ProgHeader, addr, n uint64) *elf.ProgHeader {
	for i := range segments {
		if p := &segments[i]; addr >= p.Vaddr && addr-p.Vaddr < p.Filesz && n <= p.Filesz-(addr-p.Vaddr) {
			return p
		}
	}
	return nil
}

// relocs maps locations to the addresses that the dynamic linker stores there.
type relocs map[uint64]uint64

// relativeRelocs reads the relocations of a position-independent image that only add its
// load address.
func relativeRelocs(f *elffile.File) relocs {
	s := f.Section(".rela.dyn")
	if f.Type != elf.ET_DYN || f.Class != elf.ELFCLASS64 || s == nil {
		return nil
	}
	b, err := f.Contents(s)
	if err != nil {
		return nil
	}
	r := make(relocs, len(b)/24)
	for ; len(b) >= 24; b = b[24:] {
		kind := uint32(f.ByteOrder.Uint64(b[8:]))
		if kind == uint32(elf.R_X86_64_RELATIVE) && f.Machine == elf.EM_X86_64 ||
			kind == uint32(elf.R_AARCH64_RELATIVE) && f.Machine == elf.EM_AARCH64 {
			r[f.ByteOrder.Uint64(b)] = f.ByteOrder.Uint64(b[16:])
		}
	}
	return r
}

// at returns the locations that get an address.
func (r relocs) at(addr uint64) []uint64 {
	var places []uint64
	for place, v := range r {
		if v == addr {
			places = append(places, place)
		}
	}
	return places
}
