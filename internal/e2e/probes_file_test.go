//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// record -f records the events of a probe file, and -e adds events.
func TestProbeFile(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 1000
	target := testenv.Target(t, "counter")
	file := filepath.Join(t.TempDir(), "probes.yaml")
	text := "probes:\n  - event: uprobe:" + target + ":leaf\n    name: calls\n    args: [i=arg0:s32]\n    modifiers: {every: 4}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	path := recordOK(t, "-f", file, "-e", getppid, "--", target, "-c", "p", strconv.Itoa(n))
	all := hits(t, path)
	q := qualityOf(t, path)
	calls := where(all, func(h *hit) bool { return h.Probe == "calls" })
	if got := len(calls) + int(q.Account["sampled out"]); got != n || len(calls) == 0 || len(calls) > n/4 {
		t.Errorf("%d of %d calls are recorded, want one of 4 of %d", len(calls), got, n)
	}
	for _, h := range calls {
		h.number(t, "i")
	}
	if got := len(of(all, "syscalls", "sys_enter_getppid")); got != n {
		t.Errorf("%d hits of the event of the command line, want %d", got, n)
	}

	if err := os.WriteFile(file, []byte(strings.Replace(text, "leaf", "leef", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, exec.Command(command(t, "record"), "-f", file, "-o", "/dev/null", "--", target, "1"))
	if r.code != 2 || !strings.Contains(r.stderr, file+":2: ") || !strings.Contains(r.stderr, "nearest: leaf") {
		t.Errorf("exit code %d, want 2 and the line of the event\n%s", r.code, r.stderr)
	}
}
