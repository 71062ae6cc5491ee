//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// The tests named TestTutorial run lines copied from tutorials, unchanged, on the kernel
// and on programs of Debian's packages.

// debianProgram requires a program of a Debian package, at the path that the line names.
// A program in PATH may be a different one.
func debianProgram(t *testing.T, path, pkg string) string {
	t.Helper()
	testenv.Root(t)
	testenv.Host(t)
	if _, err := os.Stat(path); err != nil {
		testenv.Missing(t, path+", of Debian's package "+pkg)
	}
	return path
}

// checkComplete fails unless there are hits and all their user stacks begin with the
// innermost function, contain the others in this order and end at the entry point of the
// program, which calls __libc_start_main and has no name in a stripped program.
func checkComplete(t *testing.T, program string, all []hit, innermost string, through ...string) {
	t.Helper()
	image, err := filepath.EvalSymlinks(program)
	if err != nil {
		t.Fatal(err)
	}
	wrong := where(all, func(h *hit) bool {
		n := len(h.User)
		if n < 3 || h.User[0].Function != innermost || h.User[n-2].Function != "__libc_start_main" || h.User[n-1].Image != image {
			return true
		}
		want := through
		for _, c := range h.User {
			if len(want) > 0 && c.Function == want[0] {
				want = want[1:]
			}
		}
		return len(want) > 0 || slices.ContainsFunc(h.User, func(c call) bool { return c.Truncated })
	})
	if len(all) == 0 || len(wrong) > 0 {
		t.Errorf("%d of %d stacks do not lead from %s through %q to the entry of %s", len(wrong), len(all), innermost, through, program)
	}
	if len(wrong) > 0 {
		t.Logf("the first: %q", functions(wrong[0].User))
	}
}

// The interpreter calls PyObject_Call for its own purposes. The script also calls it
// through ctypes, a known number of times and with a known argument.
func TestTutorialPython(t *testing.T) {
	python := debianProgram(t, "/usr/bin/python3", "python3")
	const line, calls = "uprobe:/usr/bin/python3:PyObject_Call", 200
	const script = `
import ctypes, sys
call = ctypes.pythonapi.PyObject_Call
call.argtypes, call.restype = [ctypes.py_object] * 3, ctypes.py_object
def callee(*arguments): pass
for i in range(int(sys.argv[1])): call(callee, (i,), {})
print(id(callee))`
	path := filepath.Join(t.TempDir(), "trapline.data")
	r := run(t, exec.Command(command(t, "record"), "-o", path, "-e", line, "-e", "named="+line+" callable=arg0:u64",
		"--", python, "-c", script, strconv.Itoa(calls)))
	callee, err := strconv.ParseInt(strings.TrimSpace(r.stdout), 10, 64)
	if r.code != 0 || err != nil {
		t.Fatalf("record: exit code %d, %v\n%s", r.code, err, r.stderr)
	}
	all := hits(t, path)
	checkWhole(t, path, len(all))
	plain := of(all, "uprobe", "PyObject_Call")
	named := where(all, func(h *hit) bool { return h.Probe == "named" })
	ours := where(named, func(h *hit) bool { return h.number(t, "callable") == callee })
	if len(ours) != calls || len(plain) != len(named) || len(all) != 2*len(plain) {
		t.Errorf("%d calls of the script, want %d; %d hits of the line and %d of the same with an argument, want as many", len(ours), calls, len(plain), len(named))
	}
	checkComplete(t, python, all, "PyObject_Call", "Py_BytesMain")
}
