package elffile_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"trapline/internal/elffile"
	"trapline/internal/testenv"
)

// A section is one of a made-up file.
type section struct {
	name  string
	kind  elf.SectionType
	flags elf.SectionFlag
	data  []byte
	size  uint64 // 0: that of data
}

// image makes a 64-bit ELF file with one segment and some sections.
func image(order binary.ByteOrder, sections ...section) []byte {
	const headers = 64 + 56
	names := []byte{0}
	var contents []byte
	table := []elf.Section64{{}}
	for _, s := range append(sections, section{name: ".shstrtab", kind: elf.SHT_STRTAB}) {
		name := len(names)
		names = append(append(names, s.name...), 0)
		data := s.data
		if s.name == ".shstrtab" {
			data = names
		}
		size := s.size
		if size == 0 {
			size = uint64(len(data))
		}
		table = append(table, elf.Section64{Name: uint32(name), Type: uint32(s.kind), Flags: uint64(s.flags), Off: uint64(headers + len(contents)), Size: size})
		contents = append(contents, data...)
	}
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Shoff: uint64(headers + len(contents)),
		Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64, Shnum: uint16(len(table)), Shstrndx: uint16(len(table) - 1)}
	encoding := byte(elf.ELFDATA2LSB)
	if order == binary.ByteOrder(binary.BigEndian) {
		encoding = byte(elf.ELFDATA2MSB)
	}
	copy(h.Ident[:], append([]byte(elf.ELFMAG), byte(elf.ELFCLASS64), encoding, 1))
	var b bytes.Buffer
	binary.Write(&b, order, &h)
	binary.Write(&b, order, &elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: 5, Vaddr: 0x400000, Filesz: uint64(headers + len(contents)), Memsz: uint64(headers + len(contents))})
	b.Write(contents)
	binary.Write(&b, order, table)
	return b.Bytes()
}

func open(t *testing.T, data []byte) *elffile.File {
	t.Helper()
	f, err := elffile.Open(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSections(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		f := open(t, image(order, section{name: ".data", kind: elf.SHT_PROGBITS, data: []byte("contents")},
			section{name: ".empty", kind: elf.SHT_PROGBITS}, section{name: ".bss", kind: elf.SHT_NOBITS, size: 100}))
		if f.ByteOrder != order {
			t.Errorf("byte order %v, want %v", f.ByteOrder, order)
		}
		s := f.Section(".data")
		if s == nil {
			t.Fatal("no .data")
		}
		if b, err := f.Contents(s); err != nil || string(b) != "contents" {
			t.Errorf("contents are %q (%v)", b, err)
		}
		for _, name := range []string{".empty", ".bss", ".missing"} {
			if f.Section(name) != nil {
				t.Errorf("%s has contents", name)
			}
		}
	}
}

// A size that the file does not have is an error, before memory is taken for it.
func TestLyingSizes(t *testing.T) {
	for _, size := range []uint64{1 << 20, 1<<30 - 1, 1 << 40, 1<<64 - 1} {
		f := open(t, image(binary.LittleEndian, section{name: ".data", kind: elf.SHT_PROGBITS, data: []byte("x"), size: size}))
		s := f.Section(".data")
		if s == nil {
			continue // debug/elf has dropped it
		}
		if b, err := f.Contents(s); err == nil {
			t.Errorf("a section of %#x bytes has %d", size, len(b))
		}
	}
}

// A compressed section may claim no more than compression gives.
func TestBomb(t *testing.T) {
	header := binary.LittleEndian.AppendUint32(nil, uint32(elf.COMPRESS_ZLIB))
	header = binary.LittleEndian.AppendUint32(header, 0)
	header = binary.LittleEndian.AppendUint64(header, 1<<29)
	header = binary.LittleEndian.AppendUint64(header, 1)
	f := open(t, image(binary.LittleEndian, section{name: ".debug_info", kind: elf.SHT_PROGBITS, flags: elf.SHF_COMPRESSED, data: append(header, "zzzz"...)}))
	s := f.Section(".debug_info")
	if s == nil {
		t.Fatal("no .debug_info")
	}
	if _, err := f.Contents(s); err == nil || !strings.Contains(err.Error(), "claims to unpack") {
		t.Errorf("error %v", err)
	}
}

// Section headers that lead nowhere do not keep a file from being opened.
func TestWithoutSections(t *testing.T) {
	good := image(binary.LittleEndian, section{name: ".data", kind: elf.SHT_PROGBITS, data: []byte("contents")})
	damaged := bytes.Clone(good)
	binary.LittleEndian.PutUint64(damaged[40:], 1<<50) // e_shoff
	f := open(t, damaged)
	if len(f.Sections) != 0 || len(f.Progs) != 1 || f.Progs[0].Vaddr != 0x400000 {
		t.Errorf("%d sections, %d segments", len(f.Sections), len(f.Progs))
	}
	if b, err := elffile.ReadRange(f.R, 120, 8); err != nil || string(b) != "contents" {
		t.Errorf("read %q (%v)", b, err)
	}
	r, err := elffile.WithoutSections(bytes.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := elf.NewFile(r)
	if err != nil || len(parsed.Sections) != 0 {
		t.Errorf("%v, %v", parsed, err)
	}
	for name, data := range map[string][]byte{"text": []byte(strings.Repeat("text", 40)), "short": good[:40], "32 bits": append([]byte(elf.ELFMAG+"\x01"), make([]byte, 100)...)} {
		if _, err := elffile.WithoutSections(bytes.NewReader(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := elffile.Open(bytes.NewReader(data)); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestReadRange(t *testing.T) {
	r := strings.NewReader("0123456789")
	for _, test := range []struct {
		off, n uint64
		want   string
		err    string
	}{
		{0, 10, "0123456789", ""},
		{3, 4, "3456", ""},
		{9, 1, "9", ""},
		{100, 0, "", ""},
		{9, 2, "", "reach past the end"},
		{1 << 40, 1, "", "reach past the end"},
		{0, 1 << 40, "", "too long"},
		{1<<64 - 1, 1, "", "too long"},
	} {
		b, err := elffile.ReadRange(r, test.off, test.n)
		if string(b) != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%d bytes at %d: %q, %v", test.n, test.off, b, err)
		}
	}
}

// Programs and libraries of this machine have the sections that debug/elf finds.
func TestRealFiles(t *testing.T) {
	compared := 0
	for _, path := range []string{os.Args[0], "/bin/sh", "/lib/x86_64-linux-gnu/libc.so.6"} {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		want, err := elf.NewFile(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		f := open(t, data)
		for _, s := range want.Sections {
			if s.Type == elf.SHT_NOBITS || s.Size == 0 || s.Name == "" || f.Section(s.Name) == nil {
				continue
			}
			wanted, err := want.Section(s.Name).Data()
			got, err2 := f.Contents(f.Section(s.Name))
			if err != nil || err2 != nil || !bytes.Equal(got, wanted) {
				t.Errorf("%s %s: %v, %v", path, s.Name, err, err2)
			}
			compared++
		}
	}
	if compared < 10 {
		testenv.Unsupported(t, "programs with sections")
	}
}

// Whatever the file, it is opened or refused without a panic, and its sections take no
// more memory than it has bytes to show for.
func FuzzOpen(f *testing.F) {
	f.Add(image(binary.LittleEndian, section{name: ".data", kind: elf.SHT_PROGBITS, data: []byte("contents")}))
	f.Add(image(binary.BigEndian, section{name: ".note", kind: elf.SHT_NOTE, data: []byte("note")}, section{name: ".bss", kind: elf.SHT_NOBITS, size: 9}))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := elffile.Open(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, s := range file.Sections {
			if file.Section(s.Name) == nil {
				continue
			}
			if b, err := file.Contents(s); err == nil && len(b) > len(data)*64+1<<20 {
				t.Errorf("%d bytes of a file of %d", len(b), len(data))
			}
		}
	})
}
