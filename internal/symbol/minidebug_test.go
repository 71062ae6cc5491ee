package symbol_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"trapline/internal/elffile"
	"trapline/internal/symbol"
)

// Mini debug info, made as Fedora makes it, names the functions that .dynsym lacks, in
// every form that xz writes.
func TestMiniDebug(t *testing.T) {
	for name, flags := range map[string][]string{
		"default":      nil,
		"no checksum":  {"--check=none"},
		"crc32":        {"--check=crc32"},
		"sha256":       {"--check=sha256"},
		"many blocks":  {"--block-size=4096", "-T2"},
		"largest":      {"-9e"},
		"uncompressed": {"--lzma2=mode=fast,nice=2,dict=4096"},
	} {
		t.Run(name, func(t *testing.T) {
			program := build(t, "inlined.c", "gcc", "-O2", "-rdynamic")
			before := open(t, program, symbol.Options{})
			want, err := before.Functions()
			if err != nil {
				t.Fatal(err)
			}
			addMiniDebug(t, program, flags...)
			got, err := open(t, program, symbol.Options{DebugDirs: []string{}}).Functions()
			if err != nil {
				t.Fatal(err)
			}
			names := make(map[string]uint64)
			for _, f := range got {
				names[f.Name] = f.Address
			}
			for _, f := range want {
				if names[f.Name] != f.Address {
					t.Errorf("%s is at %#x, want %#x", f.Name, names[f.Name], f.Address)
				}
			}
		})
	}
}

// addMiniDebug moves a program's symbols to .gnu_debugdata.
func addMiniDebug(t *testing.T, program string, flags ...string) {
	t.Helper()
	dir, mini := filepath.Dir(program), program+".mini"
	run(t, dir, "objcopy", "--only-keep-debug", program, mini)
	run(t, dir, "objcopy", "-S", "--remove-section=.comment", "--keep-symbols="+symbolList(t, program), mini)
	run(t, dir, "strip", "--strip-all", program)
	run(t, dir, "xz", append(flags, mini)...)
	run(t, dir, "objcopy", "--add-section=.gnu_debugdata="+mini+".xz", program)
}

func symbolList(t *testing.T, program string) string {
	t.Helper()
	var names []byte
	for _, line := range strings.Split(run(t, filepath.Dir(program), "nm", "--format=posix", "--defined-only", program), "\n") {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, name+"\n"...)
	}
	path := program + ".symbols"
	if err := os.WriteFile(path, names, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// elfWith returns an ELF file with a section of some contents.
func elfWith(section string, contents []byte) []byte {
	names := "\x00.shstrtab\x00" + section + "\x00"
	var b bytes.Buffer
	at := uint64(64 + 3*64)
	header := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: 64, Shoff: 64, Shentsize: 64, Shnum: 3, Shstrndx: 1}
	copy(header.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	for _, v := range []any{header, elf.Section64{},
		elf.Section64{Name: 1, Type: uint32(elf.SHT_STRTAB), Off: at, Size: uint64(len(names))},
		elf.Section64{Name: 11, Type: uint32(elf.SHT_PROGBITS), Off: at + uint64(len(names)), Size: uint64(len(contents))}} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString(names)
	b.Write(contents)
	return b.Bytes()
}

func unpackMini(t testing.TB, packed []byte) ([]byte, error) {
	t.Helper()
	f, err := elffile.Open(bytes.NewReader(elfWith(".gnu_debugdata", packed)))
	if err != nil {
		t.Fatal(err)
	}
	return symbol.MiniDebug(f)
}

// packed returns what xz makes of a file's contents.
func packed(t *testing.T, contents []byte, flags ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, contents, 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, filepath.Dir(path), "xz", append(flags, path)...)
	b, err := os.ReadFile(path + ".xz")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Little data that unpacks to much, or asks for much memory, is refused, and takes little
// memory until then.
func TestMiniDebugBombs(t *testing.T) {
	zeros := packed(t, make([]byte, 100<<20))
	hungry := packed(t, []byte("text"))
	hungry[12+4] = 40 // of block flags, filter, size and dictionary: 4 GiB - 1
	binary.LittleEndian.PutUint32(hungry[12+8:], crc32.ChecksumIEEE(hungry[12:12+8]))
	flipped := packed(t, []byte("text"))
	flipped[12+12+3] ^= 1 // the text
	blocks := bytes.Repeat(packed(t, []byte("text"))[12:12+12+8+8], 1000)
	blocks = append(bytes.Clone(hungry[:12]), blocks...)
	for _, test := range []struct {
		name, want string
		packed     []byte
		fails      bool
	}{
		{"zeros", "", zeros, true},
		{"dictionary of 4 GiB", "text", hungry, false},
		{"wrong checksum", "", flipped, true},
		{"many blocks", "", blocks, true},
		{"cut off", "", zeros[:len(zeros)/2], true},
		{"empty", "", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b, err := unpackMini(t, test.packed)
			runtime.ReadMemStats(&after)
			if (err != nil) != test.fails || string(b) != test.want {
				t.Errorf("%d bytes, %v, want %q", len(b), err, test.want)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 128<<20 {
				t.Errorf("took %d MiB", took>>20)
			}
			e, err := symbol.NewELF(bytes.NewReader(elfWith(".gnu_debugdata", test.packed)), symbol.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if fns, err := e.Functions(); err != nil || len(fns) > 0 {
				t.Errorf("%d functions, %v", len(fns), err)
			}
		})
	}
}

func FuzzMiniDebug(f *testing.F) {
	// xz of "text", with a CRC-64.
	f.Add([]byte("\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x03text\x00\x55\xcd\xe8\x33\xff\x4a\x0c\x17\x00\x01\x1c\x04\x6f\x2c\x9c\xc1\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04YZ"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		b, err := unpackMini(t, packed)
		if err == nil && len(b) > 1<<20+64*len(packed) {
			t.Errorf("%d bytes of %d", len(b), len(packed))
		}
		exercise(t, elfWith(".gnu_debugdata", packed))
	})
}
