package gotable_test

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trapline/internal/elffile"
	"trapline/internal/gotable"
	"trapline/internal/testenv"
)

const source = `package main

//go:noinline
func double(n int) int {
	return 2 * n // line 5
}

type T struct{ n int }

//go:noinline
func (t *T) add(n int) int { t.n += n; return t.n }

func main() {
	t := T{3}
	println(double(t.add(4)))
}
`

// build compiles the source for a machine and returns the path of the program.
func build(t testing.TB, goarch string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"main.go": source, "go.mod": "module main\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "program")
	cmd := exec.Command(testenv.Tool(t, "go"), append(append([]string{"build", "-o", path}, flags...), ".")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", goarch, flags, err, out)
	}
	return path
}

func open(t testing.TB, path string) (*elffile.File, *gotable.Table) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	file, err := elffile.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	return file, gotable.Open(file)
}

// function finds a function by its name.
func function(t *testing.T, table *gotable.Table, name string) (gotable.Function, int) {
	t.Helper()
	for i := range table.Len() {
		if f, ok := table.Function(i); ok && table.Named(f.NameOff, name) {
			return f, i
		}
	}
	t.Fatalf("no function %s among %d", name, table.Len())
	return gotable.Function{}, 0
}

var machines = []struct {
	goarch string
	flags  []string
}{
	{"amd64", nil},
	{"amd64", []string{"-ldflags=-s -w"}},
	{"amd64", []string{"-buildmode=pie"}},
	{"amd64", []string{"-buildmode=pie", "-ldflags=-s -w"}},
	{"arm64", []string{"-ldflags=-s -w"}},
	{"386", nil},
	{"s390x", nil}, // big-endian
}

// Names, files, lines and depths are known in programs for any machine, stripped or not.
func TestPrograms(t *testing.T) {
	for i, m := range machines {
		if testing.Short() && i > 0 {
			break
		}
		t.Run(m.goarch+strings.Join(m.flags, ""), func(t *testing.T) {
			file, table := open(t, build(t, m.goarch, m.flags...))
			if table == nil {
				t.Fatal("no table")
			}
			if table.Memory() < 10_000 || table.Flagless() {
				t.Errorf("%d bytes, flagless %t", table.Memory(), table.Flagless())
			}
			if table.Order() != file.ByteOrder {
				t.Errorf("byte order is %v", table.Order())
			}
			for _, name := range []string{"main.double", "main.(*T).add", "main.main", "runtime.main"} {
				f, i := function(t, table, name)
				if table.Name(f.NameOff) != name || table.Find(f.Entry) != i || table.Find(f.Entry+1) != i || table.Entry(i) != f.Entry {
					t.Errorf("%s is function %d: %s, found as %d", name, i, table.Name(f.NameOff), table.Find(f.Entry))
				}
			}
			f, i := function(t, table, "main.double")
			line, ok := table.Value(f.LineOff, f.Entry, f.Entry)
			fileNumber, ok2 := table.Value(f.FileOff, f.Entry, f.Entry)
			if name := table.File(f.Unit, fileNumber); !ok || !ok2 || line != 4 && line != 5 || filepath.Base(name) != "main.go" {
				t.Errorf("main.double begins at %s:%d", name, line)
			}
			if depth, ok := table.Value(f.StackOff, f.Entry, f.Entry); !ok || depth != 0 {
				t.Errorf("the stack is %d deep at the entry of main.double", depth)
			}
			if _, ok := table.Value(f.LineOff, f.Entry, table.Entry(i+1)); ok {
				t.Error("there is a line after the end of main.double")
			}
			top, _ := function(t, table, "runtime.goexit")
			if top.Flags&gotable.FlagTopFrame == 0 || f.Flags&gotable.FlagTopFrame != 0 {
				t.Errorf("flags of runtime.goexit are %#x, of main.double %#x", top.Flags, f.Flags)
			}
		})
	}
}

// The table has the functions of the symbol table at their addresses.
func TestAgainstSymbols(t *testing.T) {
	for i, m := range machines {
		if len(m.flags) > 0 && strings.Contains(m.flags[len(m.flags)-1], "-s") || testing.Short() && i > 0 {
			continue
		}
		t.Run(m.goarch+strings.Join(m.flags, ""), func(t *testing.T) {
			file, table := open(t, build(t, m.goarch, m.flags...))
			if table == nil {
				t.Fatal("no table")
			}
			symbols, err := file.Symbols()
			if err != nil {
				t.Fatal(err)
			}
			byAddress := make(map[uint64]map[string]bool)
			for _, s := range symbols {
				if elf.ST_TYPE(s.Info) == elf.STT_FUNC {
					if byAddress[s.Value] == nil {
						byAddress[s.Value] = make(map[string]bool)
					}
					byAddress[s.Value][strings.TrimSuffix(s.Name, ".abi0")] = true
				}
			}
			compared := 0
			for i := range table.Len() {
				f, ok := table.Function(i)
				names := byAddress[f.Entry]
				if !ok || names == nil {
					continue
				}
				compared++
				name := table.Name(f.NameOff)
				if !names[name] && !strings.Contains(name, "[...]") {
					t.Errorf("%#x is %s, the symbol table has %v", f.Entry, name, names)
				}
			}
			if compared < 500 || compared*10 < 9*table.Len() {
				t.Errorf("only %d of %d functions are in the symbol table", compared, table.Len())
			}
		})
	}
}

// What is no Go program has no table.
func TestNoTable(t *testing.T) {
	path := "/bin/true"
	if _, err := os.Stat(path); err != nil {
		testenv.Unsupported(t, path)
	}
	if _, table := open(t, path); table != nil {
		t.Errorf("%s has a table of %d functions", path, table.Len())
	}
}

// exercise asks a table everything.
func exercise(data []byte) {
	file, err := elffile.Open(bytes.NewReader(data))
	if err != nil {
		return
	}
	table := gotable.Open(file)
	if table == nil {
		return
	}
	for i := range min(table.Len(), 300) {
		table.Find(table.Entry(i) + 1)
		f, ok := table.Function(i)
		if !ok {
			continue
		}
		table.Name(f.NameOff)
		for _, off := range []uint32{f.StackOff, f.LineOff, f.FileOff, f.PCData(0), f.PCData(2), f.PCData(1000)} {
			n := 0
			table.Values(off, f.Entry, func(uint64, int32) bool { n++; return n < 100 })
		}
		if file, ok := table.Value(f.FileOff, f.Entry, f.Entry); ok {
			table.File(f.Unit, file)
		}
		f.FuncData(3)
		f.FuncData(1000)
	}
}

// Whatever the file, reading it ends without a panic.
func TestDamaged(t *testing.T) {
	data, err := os.ReadFile(build(t, "amd64", "-ldflags=-s -w"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := elffile.Open(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	s := file.Section(".gopclntab")
	if s == nil {
		t.Fatal("no .gopclntab")
	}
	// Each word of the table's header, and some of what follows, is made large or small.
	for at := s.Offset; at < s.Offset+400; at += 4 {
		for _, word := range [][]byte{{0, 0, 0, 0}, {0xff, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0x7f}, {1, 0, 0, 0x80}} {
			old := bytes.Clone(data[at : at+4])
			copy(data[at:], word)
			exercise(data)
			copy(data[at:], old)
		}
	}
	for _, n := range []uint64{0, 64, s.Offset, s.Offset + 8, s.Offset + 100, s.Offset + s.Size/2} {
		exercise(data[:n])
	}
}

func FuzzTable(f *testing.F) {
	data, err := os.ReadFile(build(f, "amd64", "-ldflags=-s -w"))
	if err != nil {
		f.Fatal(err)
	}
	file, err := elffile.Open(bytes.NewReader(data))
	if err != nil {
		f.Fatal(err)
	}
	s := file.Section(".gopclntab")
	if s == nil {
		f.Fatal("no .gopclntab")
	}
	f.Add(uint32(0), []byte{0xf1, 0xff, 0xff, 0xff})
	f.Add(uint32(8), []byte{0xff, 0xff})
	f.Add(uint32(64), []byte{0, 0, 0, 0x80})
	// The program is large, and most of it is code: bytes of the table are replaced.
	f.Fuzz(func(t *testing.T, at uint32, bytes []byte) {
		place := data[s.Offset+uint64(at)%s.Size:]
		bytes = bytes[:min(len(bytes), len(place))]
		old := append([]byte(nil), place[:len(bytes)]...)
		copy(place, bytes)
		exercise(data)
		copy(place, old)
	})
}
