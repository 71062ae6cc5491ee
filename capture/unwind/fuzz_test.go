package unwind_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"testing"

	"trapline/capture/unwind"
)

// elfWith builds an ELF file with one executable segment at address 0, code from 0x1000
// to 0x2000, and a named section at 0x2000.
func elfWith(name string, contents []byte) []byte {
	const code, size = 0x1000, 0x2000
	names := "\x00" + name + "\x00.shstrtab\x00"
	var b bytes.Buffer
	le := binary.LittleEndian
	end := uint64(size + len(contents))
	header := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: 1, Entry: code, Phoff: 64, Ehsize: 64,
		Phentsize: 56, Phnum: 2, Shoff: end + uint64(len(names)), Shentsize: 64, Shnum: 3, Shstrndx: 2}
	copy(header.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	binary.Write(&b, le, header)
	binary.Write(&b, le, elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Filesz: end, Memsz: end, Align: 4096})
	kind := elf.PT_NULL
	if name == ".eh_frame_hdr" {
		kind = elf.PT_GNU_EH_FRAME
	}
	binary.Write(&b, le, elf.Prog64{Type: uint32(kind), Off: size, Vaddr: size, Filesz: uint64(len(contents)), Memsz: uint64(len(contents))})
	b.Write(make([]byte, size-b.Len()))
	b.Write(contents)
	b.WriteString(names)
	binary.Write(&b, le, elf.Section64{})
	binary.Write(&b, le, elf.Section64{Name: 1, Type: uint32(elf.SHT_PROGBITS), Addr: size, Off: size, Size: uint64(len(contents))})
	binary.Write(&b, le, elf.Section64{Name: uint32(2 + len(name)), Type: uint32(elf.SHT_STRTAB), Off: end, Size: uint64(len(names))})
	return b.Bytes()
}

// hostileStack is a stack whose words point into code or into the stack itself.
type hostileStack struct{ image *unwind.Image }

func (h hostileStack) Find(address uint64) (*unwind.Image, uint64, bool) {
	if address&1 != 0 {
		return nil, 0, false
	}
	return h.image, 0x1000 + address%0x1000, true
}

// FuzzTables feeds tables of all kinds to their readers. Nothing may panic or take long,
// and frames must go up the stack.
func FuzzTables(f *testing.F) {
	names := []string{".eh_frame", ".eh_frame_hdr", ".debug_frame"}
	for kind := range names {
		f.Add(uint8(kind), []byte(nil), uint64(0))
	}
	for _, table := range seedTables(f) {
		f.Add(table.kind, table.contents, uint64(0x1000))
	}
	f.Fuzz(func(t *testing.T, kind uint8, contents []byte, seed uint64) {
		if len(contents) > 1<<14 {
			return
		}
		image, err := unwind.ReadImage(bytes.NewReader(elfWith(names[int(kind)%len(names)], contents)))
		if err != nil {
			t.Fatal(err)
		}
		for offset := uint64(0x1000); offset < 0x2000; offset += 61 {
			image.Rule(offset)
		}
		const base = 0x7ffc00000000
		memory := unwind.Memory{Base: base, Bytes: make([]byte, 2048)}
		for i := 0; i < len(memory.Bytes); i += 8 {
			seed = seed*6364136223846793005 + 1442695040888963407
			word := seed >> 33 // code, to hostileStack
			if seed>>62 == 3 {
				word = base + seed>>33%2048&^7
			}
			binary.LittleEndian.PutUint64(memory.Bytes[i:], word)
		}
		regs := unwind.Registers{Known: 1<<17 - 1}
		for i := range regs.Value {
			regs.Value[i] = base + uint64(i)*8
		}
		regs.Value[unwind.RegIP] = 0x1000 + seed%0x1000
		const limit = 127
		frames, cut := unwind.Unwind(&regs, []unwind.Memory{memory}, hostileStack{image}, limit)
		if len(frames) > limit || len(frames) == limit && cut != unwind.CutDepth {
			t.Errorf("%d frames, cut %d", len(frames), cut)
		}
	})
}

type seedTable struct {
	kind     uint8
	contents []byte
}

// seedTables returns tables that describe the code at 0x1000.
func seedTables(f *testing.F) []seedTable {
	le := binary.LittleEndian
	var tables []seedTable
	programs := [][]byte{
		{0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x0a, 0x4c, 0x0c, 7, 8, 0x0b},           // a usual function
		{0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22},           // the PLT's expression
		{0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0, 0x10, 3, 2, 0x76, 0x70},         // an aligned frame
		{0x0f, 4, 0x77, 0xa0, 1, 0x06, 0x10, 16, 3, 0x77, 0xa8, 1, 0x16, 7, 2, 0x77, 8},  // a signal frame
		{0x09, 16, 5, 0x07, 6, 0x05, 3, 4, 0x14, 12, 2, 0x2e, 16, 0x2f, 13, 2, 0x06, 13}, // a register of each kind
		{0x0f, 6, 0x77, 0, 0x2f, 0xfb, 0xff, 0x31},                                       // an endless loop
		{0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0b, 0x0b, 0x1d, 1, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x10},
	}
	for _, program := range programs {
		// CIE: version 1, "zR", absolute addresses of 4 bytes.
		cie := []byte{0, 0, 0, 0, 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x03, 0x0c, 7, 8, 0x90, 1}
		eh := le.AppendUint32(nil, uint32(len(cie)))
		eh = append(eh, cie...)
		back := uint32(len(eh) + 4)
		eh = le.AppendUint32(eh, uint32(4+8+1+len(program)))
		eh = le.AppendUint32(eh, back)
		eh = le.AppendUint32(le.AppendUint32(eh, 0x1000), 0x800)
		eh = append(append(eh, 0), program...)
		tables = append(tables, seedTable{0, append(eh, 0, 0, 0, 0)})

		// The same after a header with a sorted table of one entry: absolute pointers of 4 bytes.
		header := []byte{1, 0x03, 0x03, 0x03}
		for _, n := range []uint32{0x2014, 1, 0x1000, 0x2014 + back - 4} {
			header = le.AppendUint32(header, n)
		}
		tables = append(tables, seedTable{1, append(header, eh...)})

		// DWARF 64, version 4.
		cie = append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 4, 0, 8, 0, 1, 0x78, 16}, 0x0c, 7, 8, 0x90, 1)
		wide := le.AppendUint64(le.AppendUint32(nil, 1<<32-1), uint64(len(cie)))
		wide = append(wide, cie...)
		wide = le.AppendUint64(le.AppendUint32(wide, 1<<32-1), uint64(24+len(program)))
		for _, n := range []uint64{0, 0x1000, 0x800} {
			wide = le.AppendUint64(wide, n)
		}
		tables = append(tables, seedTable{2, append(wide, program...)})
	}
	// A seed that is rejected would test nothing.
	for i, table := range tables[:6] {
		image, err := unwind.ReadImage(bytes.NewReader(elfWith([]string{".eh_frame", ".eh_frame_hdr", ".debug_frame"}[table.kind], table.contents)))
		if err != nil {
			f.Fatal(err)
		}
		if got := image.Rule(0x1000); got.Kind != unwind.RuleStep || got.Base != unwind.RegSP {
			f.Fatalf("seed %d: the rule is %+v", i, got)
		}
	}
	return tables
}

// FuzzImage reads a real image with changed bytes.
func FuzzImage(f *testing.F) {
	image, err := os.ReadFile("/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
	if err != nil {
		f.Skip(err)
	}
	f.Add(uint32(0x20), []byte{1})
	f.Add(uint32(0x3c), []byte{0xff, 0xff})
	f.Add(uint32(64+32), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, at uint32, change []byte) {
		changed := bytes.Clone(image)
		copy(changed[int(at)%len(changed):], change)
		m, err := unwind.ReadImage(bytes.NewReader(changed))
		if err != nil {
			return
		}
		for offset := uint64(0); offset < uint64(len(changed)); offset += 4093 {
			m.Rule(offset)
		}
	})
}
