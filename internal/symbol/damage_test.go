package symbol_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trapline/internal/symbol"
	"trapline/internal/testenv"
)

// exercise makes every kind of lookup. Damage may only cause names to be missing.
func exercise(t *testing.T, image []byte) {
	t.Helper()
	e, err := symbol.NewELF(bytes.NewReader(image), symbol.Options{DebugDirs: []string{}})
	if err != nil {
		return
	}
	fns, err := e.Functions()
	if err != nil {
		t.Errorf("functions: %v", err)
	}
	for i, f := range fns {
		if i < 64 {
			e.Lookup(f.Offset)
			e.Lookup(f.Offset + f.Size/2)
		}
		if f.Name == "" {
			t.Error("a function without a name")
		}
	}
	for off := 0; off < len(image); off += max(len(image)/64, 1) {
		for _, c := range e.Lookup(uint64(off)) {
			if c.Line < 0 {
				t.Errorf("%+v", c)
			}
		}
	}
	// Damage may make these fail, but must not make them panic.
	s, err := e.Source("inlined.c", 9)
	if err == nil {
		for _, p := range s.Places {
			if p.Line != 9 {
				t.Errorf("%+v", p)
			}
			e.Declaration(p.Offset)
		}
	}
	e.InlinedCalls(func(string) bool { return true })
	e.SourceFiles()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestDamaged changes single bytes and truncates the file.
func TestDamaged(t *testing.T) {
	testenv.Slow(t)
	for name, args := range map[string][]string{
		"inlined.c":  {"gcc", "-O2", "-g"},
		"inlined.cc": {"g++", "-O2", "-gdwarf-4"},
		"inlined.go": {"go", "build", "-ldflags=-s -w"},
	} {
		t.Run(name, func(t *testing.T) {
			image, err := os.ReadFile(build(t, name, args[0], args[1:]...))
			if err != nil {
				t.Fatal(err)
			}
			random := rand.New(rand.NewPCG(1, 2))
			for range 300 {
				b := bytes.Clone(image)
				for range 1 + random.IntN(64) {
					b[random.IntN(len(b))] ^= byte(1 << random.IntN(8))
				}
				exercise(t, b)
				exercise(t, image[:random.IntN(len(image))])
			}
		})
	}
}

func FuzzNewELF(f *testing.F) {
	if vdso, err := symbol.VDSO(); err == nil {
		b := make([]byte, vdso.Len())
		if _, err := vdso.ReadAt(b, 0); err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	if _, err := exec.LookPath("gcc"); err == nil {
		for _, flags := range []string{"-g -O2", "-gdwarf-4 -O2 -no-pie", "-gdwarf-3 -g -O2 -s"} {
			out := filepath.Join(f.TempDir(), "program")
			args := append(strings.Fields(flags), "-o", out, "testdata/inlined.c")
			if text, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
				f.Fatalf("gcc: %v\n%s", err, text)
			}
			b, err := os.ReadFile(out)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(exercise)
}
