package debuginfo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trapline/internal/debuginfo"
	"trapline/internal/elffile"
	"trapline/internal/meter"
	"trapline/internal/testenv"
)

const source = `static volatile int sink;
static inline __attribute__((always_inline)) void inner(void) {
	sink++;
}
void outer(void) {
	inner();
}
int main(void) {
	outer();
	return 0;
}
`

// compile builds the source and opens its debug information.
func compile(t *testing.T, flags ...string) (*debuginfo.Info, *meter.Meter) {
	t.Helper()
	gcc, dir := testenv.Tool(t, "gcc"), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "program.c"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(gcc, append(flags, "-O1", "-o", "program", "program.c")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	r, err := os.Open(filepath.Join(dir, "program"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	f, err := elffile.Open(r)
	if err != nil {
		t.Fatal(err)
	}
	memory := new(meter.Meter)
	info := debuginfo.New(f, memory, func(uint64) bool { return true })
	if info != nil {
		info.ReadUnits()
	}
	return info, memory
}

func TestWithoutDebugInformation(t *testing.T) {
	if info, _ := compile(t, "-s"); info != nil {
		t.Error("a stripped program has debug information")
	}
}

// TestLinesAndAddresses looks up the one inlined call by its name, its code by its line,
// and its calls by address.
func TestLinesAndAddresses(t *testing.T) {
	for _, flags := range []string{"-gdwarf-3", "-gdwarf-4", "-gdwarf-5", "-gdwarf-5 -gdwarf64", "-gdwarf-4 -gz=zlib-gnu", "-gdwarf-5 -gz"} {
		t.Run(flags, func(t *testing.T) {
			info, memory := compile(t, strings.Fields(flags)...)
			if info == nil {
				t.Fatal("no debug information")
			}
			before := memory.Bytes()
			var places []debuginfo.Place
			for _, p := range info.InlinedCalls(func(name string) bool { return name == "inner" }) {
				if p.Functions[len(p.Functions)-1] == "outer" {
					places = append(places, p)
				}
			}
			if len(places) != 1 || places[0].Line != 6 || filepath.Base(places[0].File) != "program.c" {
				t.Fatalf("calls of inner in outer: %+v, want one in line 6", places)
			}
			s := info.Source("program.c", 3)
			if len(s.Places) == 0 || len(s.Files) != 1 {
				t.Fatalf("line 3: %+v", s)
			}
			for _, p := range s.Places {
				calls := info.Calls(p.Address)
				if len(calls) < 2 || calls[0].Function != "inner" || calls[0].Line != 3 || calls[1].Function != "outer" || calls[1].Line != 6 {
					t.Errorf("calls at %#x: %+v", p.Address, calls)
				}
				if _, line, ok := info.Declaration(p.Address); !ok || line != 5 && line != 8 {
					t.Errorf("the function at %#x is declared in line %d (%t)", p.Address, line, ok)
				}
			}
			if calls := info.Calls(1); calls != nil {
				t.Errorf("calls at address 1: %+v", calls)
			}
			if memory.Bytes() <= before {
				t.Error("the memory of tables is not counted")
			}
		})
	}
}
