package unwind_test

import (
	"bufio"
	"bytes"
	"debug/elf"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trapline/capture/unwind"
	"trapline/internal/testenv"
)

// goProgram builds the go command, a large Go program, with debug information.
func goProgram(t *testing.T) string {
	t.Helper()
	testenv.Tool(t, "readelf")
	path := filepath.Join(t.TempDir(), "go")
	if out, err := exec.Command(testenv.Tool(t, "go"), "build", "-o", path, "cmd/go").CombinedOutput(); err != nil {
		t.Fatalf("building the go command: %v\n%s", err, out)
	}
	return path
}

// switching lists the functions that end the stack, or whose table does not say where
// the stack pointer is. Their rules are tested by walking through them.
var switching = map[string]bool{"gogo": true, "_rt0_amd64_linux": true, "runtime.rt0_go": true, "runtime.mstart": true, "runtime.mcall": true, "runtime.systemstack": true,
	"runtime.switchToCrashStack0": true, "runtime.morestack": true, "runtime.asmcgocall": true, "runtime.goexit": true,
	"runtime.nanotime1": true, "runtime.callCgoSigaction": true, "runtime.sigfwd": true, "runtime.callCgoMmap": true,
	"runtime.callCgoMunmap": true, "runtime.clone": true, "runtime.vgetrandom1": true, "time.now": true,
	"runtime.cgocallback": true, "syscall.rawVforkSyscall": true, "runtime.sigreturn__sigaction": true}

// At every byte of the go command's code, the rule from Go's own table has the CFA that
// the compiler wrote to .debug_frame.
func TestGoRulesAgainstDebugFrame(t *testing.T) {
	testenv.Slow(t)
	path := goProgram(t)
	image, offset := openImage(t, path)
	special := namedRanges(t, path, switching)
	out, err := exec.Command("readelf", "--debug-dump=frames-interp", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	compared, differences := 0, 0
	var from uint64
	var row expected
	scanReadelf(t, bufio.NewScanner(bytes.NewReader(out)), func(pc uint64, want expected) {
		// readelf's rows arrive as their first and last addresses, or once if these are equal.
		if want.text != row.text || pc < from {
			from, row = pc, want
		}
		for ; from <= pc; from++ {
			if special(from) {
				continue
			}
			at, _ := offset(from)
			got := image.Rule(at)
			compared++
			if got.Kind != unwind.RuleStep || got.Base != want.rule.Base || got.CFA != want.rule.CFA {
				if differences++; differences < 20 {
					t.Errorf("%#x: %+v, .debug_frame has %s", from, got, want.text)
				}
			}
		}
	})
	t.Logf("%d bytes of code, %d differences", compared, differences)
	if compared < 1<<20 {
		t.Errorf("only %d bytes of code were compared", compared)
	}
}

// namedRanges returns a function that reports whether an address is in one of the named
// functions, according to the symbol table.
func namedRanges(t *testing.T, path string, names map[string]bool) func(uint64) bool {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var ranges [][2]uint64
	for _, s := range symbols {
		name := strings.TrimSuffix(s.Name, ".abi0")
		if names[name] && elf.ST_TYPE(s.Info) == elf.STT_FUNC {
			found[name] = true
			ranges = append(ranges, [2]uint64{s.Value, s.Value + s.Size})
		}
	}
	if len(found) < len(names)/2 {
		t.Fatalf("%s has only %v", path, found)
	}
	return func(addr uint64) bool {
		for _, r := range ranges {
			if addr >= r[0] && addr < r[1] {
				return true
			}
		}
		return false
	}
}
