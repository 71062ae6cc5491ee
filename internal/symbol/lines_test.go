package symbol_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"trapline/internal/symbol"
	"trapline/internal/testenv"
)

// TestInlinedCalls checks the chain of calls at each byte of a function into which
// others were inlined. The sources mark the expected lines.
func TestInlinedCalls(t *testing.T) {
	const chain = "innermost middle outer"
	tests := []struct {
		name, source, tool, chain string
		args                      []string
	}{
		{"c", "inlined.c", "gcc", chain, []string{"-O2", "-g"}},
		{"c dwarf 4", "inlined.c", "gcc", chain, []string{"-O2", "-gdwarf-4"}},
		{"c dwarf 3", "inlined.c", "gcc", chain, []string{"-O2", "-gdwarf-3", "-gstrict-dwarf"}},
		{"c 64-bit dwarf", "inlined.c", "gcc", chain, []string{"-O2", "-g", "-gdwarf64"}},
		{"c no-pie", "inlined.c", "gcc", chain, []string{"-O2", "-g", "-no-pie"}},
		{"c static", "inlined.c", "gcc", chain, []string{"-O2", "-g", "-static"}},
		{"c compressed", "inlined.c", "gcc", chain, []string{"-O2", "-g", "-gz"}},
		{"c lto", "inlined.c", "gcc", chain, []string{"-O2", "-g", "-flto"}},
		{"c sections", "inlined.c", "gcc", chain, []string{"-O2", "-g", "-ffunction-sections", "-Wl,--gc-sections"}},
		{"c++", "inlined.cc", "g++", "count total", []string{"-O2", "-g"}},
		{"c++ dwarf 4", "inlined.cc", "g++", "count total", []string{"-O2", "-gdwarf-4"}},
		{"rust", "inlined.rs", "rustc", chain, []string{"-O", "-g"}},
		{"rust dwarf 5", "inlined.rs", "rustc", chain, []string{"-O", "-g", "-C", "dwarf-version=5"}},
		{"go", "inlined.go", "go", chain, []string{"build"}},
		{"go stripped", "inlined.go", "go", chain, []string{"build", "-ldflags=-s -w"}},
		{"go stripped pie", "inlined.go", "go", chain, []string{"build", "-ldflags=-s -w", "-buildmode=pie"}},
		{"go without dwarf", "inlined.go", "go", chain, []string{"build", "-ldflags=-w"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := open(t, build(t, test.source, test.tool, test.args...), symbol.Options{})
			checkChain(t, e, test.source, test.chain)
		})
	}
}

// qualified maps the names of functions in the tests to their demangled names.
var qualified = map[string]map[string]string{
	"inlined.c":  {"innermost": "innermost", "middle": "middle", "outer": "outer"},
	"inlined.cc": {"count": "shop::Basket::count", "total": "shop::Basket::total"},
	"inlined.rs": {"innermost": "inlined::innermost", "middle": "inlined::middle", "outer": "inlined::outer"},
	"inlined.go": {"innermost": "main.innermost", "middle": "main.middle", "outer": "main.outer"},
}

// checkChain looks for the marked chain of calls, innermost first, in the outermost
// function, which comes last.
func checkChain(t *testing.T, e *symbol.ELF, source, chain string) {
	t.Helper()
	lines := markedLines(t, source)
	var want []string
	names := strings.Fields(chain)
	for _, name := range names {
		want = append(want, fmt.Sprintf("%s %s:%d", qualified[source][name], source, lines[name]))
	}
	outer := function(t, e, qualified[source][names[len(names)-1]])
	seen := make(map[string]bool)
	for i := range outer.Size {
		calls := e.Lookup(outer.Offset + i)
		if len(calls) == 0 {
			t.Fatalf("byte %d of %s has no name", i, outer.Name)
		}
		if got := calls[len(calls)-1]; got.Function != outer.Name || got.Offset != i {
			t.Fatalf("byte %d of %s is %s+%d", i, outer.Name, got.Function, got.Offset)
		}
		seen[describe(calls)] = true
	}
	for got := range seen {
		// The library's own calls may be inlined into the innermost one.
		if strings.HasSuffix(got, strings.Join(want, " < ")) {
			return
		}
	}
	t.Errorf("missing %s among:\n%s", strings.Join(want, " < "),
		strings.Join(slices.Sorted(maps.Keys(seen)), "\n"))
}

// describe formats calls with demangled names, without parameters, and base names of
// files.
func describe(calls []symbol.Call) string {
	var s []string
	for _, c := range calls {
		s = append(s, fmt.Sprintf("%s %s:%d", plainName(c.Function), filepath.Base(c.File), c.Line))
	}
	return strings.Join(s, " < ")
}

// TestSharedDebugInformation has dwz move what two programs share into a third file.
func TestSharedDebugInformation(t *testing.T) {
	testenv.Slow(t)
	dir := t.TempDir()
	for _, name := range []string{"one", "two"} {
		program := build(t, "inlined.cc", "g++", "-O2", "-gdwarf-4", "-Wl,--build-id=sha1")
		if err := os.Rename(program, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "dwz", "-m", "shared", "-M", filepath.Join(dir, "shared"), "one", "two")
	opt := symbol.Options{DebugDirs: []string{}}
	checkChain(t, open(t, filepath.Join(dir, "one"), opt), "inlined.cc", "count total")
}

// TestConcurrentLookups repeats the lookups of one goroutine in several at once.
func TestConcurrentLookups(t *testing.T) {
	program := build(t, "inlined.cc", "g++", "-O2", "-g")
	serial := open(t, program, symbol.Options{})
	fns, err := serial.Functions()
	if err != nil {
		t.Fatal(err)
	}
	want := make([]string, len(fns))
	for i, f := range fns {
		want[i] = describe(serial.Lookup(f.Offset + f.Size/2))
	}
	shared := open(t, program, symbol.Options{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, f := range fns {
				if got := describe(shared.Lookup(f.Offset + f.Size/2)); got != want[i] {
					t.Errorf("%s is %s, want %s", f.Name, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}
