//go:build linux

package e2e

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trapline/internal/testenv"
)

// A report needs nothing but the capture. In an empty root directory, without binaries,
// /proc or a network, it prints the same bytes.
func TestReportElsewhereIsIdentical(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "counter")
	path := recordOK(t, "-e", "sched:sched_switch", "-e", getppid, "-e", "uprobe:libc:malloc size=arg0:u64",
		"--", target, "-t", "2", "-f", "1", "500")
	here, elsewhere := filepath.Dir(path), t.TempDir()
	copyFile(t, path, filepath.Join(elsewhere, "trapline.data"))
	for _, c := range []struct {
		program string
		args    string
	}{
		{"report", ""},
		{"report", "--no-children -s symbol,srcline,dso -n"},
		{"report", "-s comm,probe,malloc.size -g caller"},
		{"report", "--events"},
		{"report", "--json"},
		{"convert", "-t ndjson --stacks -o -"},
		{"convert", "-t folded -o -"},
		{"convert", "-t pprof -o -"},
		{"convert", "-t perfscript -o -"},
		{"convert", "-t flamegraph -o -"},
	} {
		program := command(t, c.program)
		carried := filepath.Join(elsewhere, c.program)
		if _, err := os.Stat(carried); err != nil {
			copyFile(t, program, carried)
		}
		first := exec.Command(program, strings.Fields(c.args)...)
		first.Dir = here
		second := exec.Command("/"+c.program, strings.Fields(c.args)...)
		second.Path, second.Dir = "/"+c.program, "/"
		second.Env = []string{}
		second.SysProcAttr = &syscall.SysProcAttr{Chroot: elsewhere}
		want, got := run(t, first), run(t, second)
		if want.code != 0 || want.stdout == "" || got.code != 0 {
			t.Errorf("%s %s: exit code %d here, %d there\n%s%s", c.program, c.args, want.code, got.code, want.stderr, got.stderr)
		} else if want.stdout != got.stdout {
			t.Errorf("%s %s: different output: %s", c.program, c.args, firstDifference(want.stdout, got.stdout))
		}
	}
}

func copyFile(t *testing.T, src, dst string) {
	t.Helper()
	in, err := os.Open(src)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return "\n- " + x[i] + "\n+ " + y[i]
		}
	}
	return "one output is a prefix of the other"
}
