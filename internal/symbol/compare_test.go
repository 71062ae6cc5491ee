package symbol_test

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/symbol"
	"trapline/internal/testenv"
)

// TestLikeAddr2line compares the calls at every second byte of programs' code with the
// output of addr2line. The outermost names come from different tables and are ignored.
func TestLikeAddr2line(t *testing.T) {
	tests := []struct {
		name, source, tool string
		args               []string
	}{
		{"c++", "inlined.cc", "g++", []string{"-O2", "-gdwarf-4"}},
		{"c++ sections", "inlined.cc", "g++", []string{"-O2", "-gdwarf-4", "-ffunction-sections", "-Wl,--gc-sections"}},
		{"rust", "inlined.rs", "rustc", []string{"-O", "-g"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			program := build(t, test.source, test.tool, test.args...)
			e := open(t, program, symbol.Options{})
			fns, err := e.Functions()
			if err != nil {
				t.Fatal(err)
			}
			var addrs []uint64
			for _, f := range fns {
				for a := f.Address; a < f.Address+f.Size && len(addrs) < 20_000; a += 2 {
					addrs = append(addrs, a)
				}
			}
			inlined, differ := 0, 0
			for i, want := range addr2line(t, program, addrs) {
				off, _ := e.FileOffset(addrs[i])
				calls := e.Lookup(off)
				var got []string
				for j, c := range calls {
					name := c.Function
					if j == len(calls)-1 {
						name = ""
					}
					got = append(got, fmt.Sprintf("%s %s:%d", name, filepath.Base(c.File), c.Line))
				}
				if len(want) == 1 && strings.HasSuffix(want[0], ":0") && len(calls) == 1 && calls[0].Line == 0 {
					continue // binutils then takes files from the symbol table
				}
				inlined += len(got) - 1
				if !slices.Equal(got, want) {
					if differ++; differ <= 5 {
						t.Errorf("%#x:\n got %q\nwant %q", addrs[i], got, want)
					}
				}
			}
			if len(addrs) < 1000 || inlined < len(addrs)/2 {
				t.Errorf("only %d inlined calls at %d addresses were compared", inlined, len(addrs))
			}
		})
	}
}

// addr2line returns the output of addr2line for addresses: "function file:line",
// innermost first, the outermost without its name.
func addr2line(t *testing.T, program string, addrs []uint64) [][]string {
	t.Helper()
	var in strings.Builder
	for _, a := range addrs {
		fmt.Fprintf(&in, "%x\n", a)
	}
	cmd := exec.Command(testenv.Tool(t, "addr2line"), "-a", "-f", "-i", "-e", program)
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, block := range strings.Split("\n"+string(out), "\n0x")[1:] {
		lines := strings.Split(strings.TrimSpace(block), "\n")[1:]
		var calls []string
		for i := 0; i+1 < len(lines); i += 2 {
			place, _, _ := strings.Cut(lines[i+1], " ")
			colon := strings.LastIndexByte(place, ':')
			line, _ := strconv.Atoi(place[colon+1:]) // "?" is 0
			name := lines[i]
			if i+2 >= len(lines) {
				name = ""
			}
			calls = append(calls, fmt.Sprintf("%s %s:%d", name, filepath.Base(place[:colon]), line))
		}
		all = append(all, calls)
	}
	if len(all) != len(addrs) {
		t.Fatalf("addr2line answered %d of %d", len(all), len(addrs))
	}
	return all
}

// TestLikeStandardLibrary compares every row of a program's line tables with the rows
// that debug/dwarf reads.
func TestLikeStandardLibrary(t *testing.T) {
	for _, version := range []string{"3", "4", "5"} {
		t.Run("dwarf "+version, func(t *testing.T) {
			t.Parallel()
			program := build(t, "inlined.cc", "g++", "-O2", "-gdwarf-"+version)
			e := open(t, program, symbol.Options{})
			compared := 0
			eachLine(t, program, func(low, high uint64, file string, line int) {
				for addr := low; addr < high; addr++ {
					off, _ := e.FileOffset(addr)
					calls := e.Lookup(off)
					if len(calls) == 0 {
						continue // padding between functions
					}
					compared++
					if filepath.Clean(calls[0].File) != filepath.Clean(file) || calls[0].Line != line {
						t.Fatalf("%#x is %s:%d, want %s:%d", addr, calls[0].File, calls[0].Line, file, line)
					}
				}
			})
			if compared < 1000 {
				t.Errorf("only %d addresses compared", compared)
			}
		})
	}
}

func eachLine(t *testing.T, program string, visit func(low, high uint64, file string, line int)) {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := f.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	for r := d.Reader(); ; r.SkipChildren() {
		entry, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if entry == nil {
			return
		}
		lines, err := d.LineReader(entry)
		if err != nil {
			t.Fatal(err)
		}
		if lines == nil {
			continue
		}
		var last, row dwarf.LineEntry
		for open := false; ; {
			err := lines.Next(&row)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if open && row.Address > last.Address && last.File != nil {
				visit(last.Address, row.Address, last.File.Name, last.Line)
			}
			last, open = row, !row.EndSequence
		}
	}
}

// TestGoTablesAgree compares Go's own tables for a program's code with its debug
// information: the compiler wrote both.
func TestGoTablesAgree(t *testing.T) {
	full := open(t, build(t, "inlined.go", "go", "build"), symbol.Options{})
	stripped := open(t, build(t, "inlined.go", "go", "build", "-ldflags=-s -w"), symbol.Options{})
	fns, err := stripped.Functions()
	if err != nil {
		t.Fatal(err)
	}
	compared, inlined, differ := 0, 0, 0
	for _, f := range fns {
		other, ok := full.FileOffset(f.Address)
		if !ok {
			t.Fatalf("%s is not in the program that was not stripped", f.Name)
		}
		for i := uint64(0); i < f.Size; i += 3 {
			got, want := stripped.Lookup(f.Offset+i), full.Lookup(other+i)
			if len(want) == 0 {
				continue // padding, which symbol sizes exclude
			}
			compared++
			inlined += len(want) - 1
			if !slices.EqualFunc(got, want, sameGoCall) {
				if differ++; differ <= 5 {
					t.Errorf("%s+%d:\n got %v\nwant %v", f.Name, i, got, want)
				}
			}
		}
	}
	if compared < 10_000 || inlined < 1000 {
		t.Errorf("only %d addresses and %d inlined calls were compared", compared, inlined)
	}
}

// sameGoCall ignores what the tables spell differently: the type arguments of instances
// and the linker's mark on assembly functions.
func sameGoCall(a, b symbol.Call) bool {
	plain := func(c symbol.Call) symbol.Call {
		before, rest, ok := strings.Cut(c.Function, "[")
		if end := strings.LastIndexByte(rest, ']'); ok && end >= 0 {
			c.Function = before + "[...]" + rest[end+1:]
		}
		c.Function = strings.TrimSuffix(c.Function, ".abi0")
		return c
	}
	return plain(a) == plain(b)
}

// TestLibc names functions of the C library, which every Linux machine has, mostly
// without debug information.
func TestLibc(t *testing.T) {
	var path string
	for _, p := range []string{"/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6", "/lib64/libc.so.6"} {
		if _, err := os.Stat(p); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		testenv.Missing(t, "a C library at one of the usual paths")
	}
	bare := open(t, path, symbol.Options{DebugDirs: []string{}})
	for _, name := range []string{"malloc", "read", "qsort"} {
		f := function(t, bare, name)
		calls := bare.Lookup(f.Offset + 1)
		if len(calls) != 1 || calls[0].Function != name || calls[0].Offset != 1 {
			t.Errorf("%s+1 is %v", name, calls)
		}
		if addr, ok := bare.Address(f.Offset); !ok || addr != f.Address {
			t.Errorf("offset %#x is at %#x, want %#x", f.Offset, addr, f.Address)
		}
	}
	t.Run("debug file", func(t *testing.T) {
		e := open(t, path, symbol.Options{})
		id := fmt.Sprintf("%x", e.BuildID())
		debug := filepath.Join("/usr/lib/debug/.build-id", id[:2], id[2:]+".debug")
		if _, err := os.Stat(debug); err != nil {
			testenv.Missing(t, "the debug file of the C library")
		}
		f := function(t, e, "malloc")
		calls := e.Lookup(f.Offset)
		if len(calls) == 0 || filepath.Base(calls[len(calls)-1].File) != "malloc.c" || calls[0].Line == 0 {
			t.Errorf("malloc is %v", calls)
		}
	})
}
