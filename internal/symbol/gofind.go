package symbol

import (
	"bytes"
	"debug/elf"

	"trapline/internal/elffile"
)

// Words of runtime.moduledata, which is the same from Go 1.20 on up to the last of
// these. Go 1.18 and 1.19 lack two words before funcData.
const (
	moduleTable    = 0
	moduleNames    = 1
	moduleText     = 22
	moduleFuncData = 40
	moduleWords    = 41
)

// readGoTable finds and checks the image's Go table.
func (e *ELF) readGoTable() (t *goTable) {
	var err error
	defer func() {
		if err != nil {
			t = nil
		}
	}()
	defer guard("reading Go's table", &err)
	if !e.IsGo() {
		return nil
	}
	addr := uint64(0)
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab"} {
		if s := e.section(name); s != nil {
			if data, err := e.contents(s); err == nil {
				t, addr = parseGoTable(e.object, data), s.Addr
			}
		}
	}
	if t == nil {
		if t, addr = e.scanGoTable(); t == nil {
			return nil
		}
	}
	e.applyModule(t, addr)
	if t.version != goVersion116 && t.text == 0 {
		// Without a module the text starts at the section, unless C code comes first.
		if s := e.section(".text"); s != nil {
			t.text = s.Addr
		}
	}
	return t
}

// scanGoTable searches the loaded bytes for the header of Go's table, for images
// without section headers.
func (e *ELF) scanGoTable() (*goTable, uint64) {
	const chunk, header = 1 << 20, 8 + 8*8
	pattern := []byte{0xff, 0xff, 0xff, 0, 0} // the magic's upper bytes and the padding
	for _, p := range e.loads {
		for off := uint64(0); off < p.Filesz; off += chunk {
			b, err := elffile.ReadRange(e.r, p.Off+off, min(chunk+header, p.Filesz-off))
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
				if start < 0 || start+8 > len(b) || (p.Vaddr+off+uint64(start))%8 != 0 || parseVersion(b[start:]) == 0 {
					continue
				}
				from := off + uint64(start)
				data, err := elffile.ReadRange(e.r, p.Off+from, min(p.Filesz-from, maxGoTable))
				if err != nil {
					continue
				}
				if t := parseGoTable(e.object, data); t != nil {
					return t, p.Vaddr + from
				}
			}
		}
	}
	return nil, 0
}

// parseVersion returns the version byte of a little-endian header, 0 for none.
func parseVersion(b []byte) byte {
	switch {
	case b[0] != goVersion116&0xff && b[0] != goVersion118&0xff && b[0] != goVersion120&0xff:
	case b[6] != 1 && b[6] != 2 && b[6] != 4:
	case b[7] != 4 && b[7] != 8:
	default:
		return b[0]
	}
	return 0
}

// applyModule takes the start of the text and of the functions' data from the
// runtime.moduledata that points to the table.
func (e *ELF) applyModule(t *goTable, addr uint64) {
	if t.ptrSize != 8 || t.version == goVersion116 {
		return
	}
	relocated := e.relativeRelocs()
	candidates := relocated.at(addr)
	pointer := make([]byte, 8)
	t.order.PutUint64(pointer, addr)
	for _, p := range e.loads {
		if p.Flags&elf.PF_W == 0 {
			continue
		}
		data, err := elffile.ReadRange(e.r, p.Off, p.Filesz)
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
	for _, place := range candidates {
		raw, err := e.segmentBytes(place, moduleWords*8)
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
		if word(moduleTable) != addr || names <= addr || names-addr > maxGoTable || !e.executable(word(moduleText)) {
			continue
		}
		t.text = word(moduleText)
		if t.version == goVersion120 {
			t.funcData = word(moduleFuncData)
		}
		return
	}
}

// relocs maps places to the addresses that the dynamic linker puts there.
type relocs map[uint64]uint64

// relativeRelocs reads the relocations of a position-independent image that add
// its load address only.
func (e *ELF) relativeRelocs() relocs {
	s := e.section(".rela.dyn")
	if e.file.Type != elf.ET_DYN || e.file.Class != elf.ELFCLASS64 || s == nil {
		return nil
	}
	b, err := e.contents(s)
	if err != nil {
		return nil
	}
	r := make(relocs, len(b)/24)
	for ; len(b) >= 24; b = b[24:] {
		kind := uint32(e.file.ByteOrder.Uint64(b[8:]))
		if kind == uint32(elf.R_X86_64_RELATIVE) && e.file.Machine == elf.EM_X86_64 ||
			kind == uint32(elf.R_AARCH64_RELATIVE) && e.file.Machine == elf.EM_AARCH64 {
			r[e.file.ByteOrder.Uint64(b)] = e.file.ByteOrder.Uint64(b[16:])
		}
	}
	return r
}

// at returns the places that get an address.
func (r relocs) at(addr uint64) []uint64 {
	var places []uint64
	for place, v := range r {
		if v == addr {
			places = append(places, place)
		}
	}
	return places
}
