//go:build linux

package e2e

import (
	"debug/elf"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// Every access is a hit in the function that made it.
func TestWatchpoints(t *testing.T) {
	testenv.Breakpoints(t)
	const n = 500
	target := testenv.Target(t, "watch")
	watched, step := symbolAddress(t, target, "watched"), symbolAddress(t, target, "step")
	for _, c := range []struct {
		event string
		hits  int
	}{
		{fmt.Sprintf("watchpoint:%#x:8:w", watched), n},
		{fmt.Sprintf("w:%#x:8:rw", watched), 2 * n},
		{fmt.Sprintf("mem:%#x:x", step), n},
	} {
		path := recordOK(t, "-e", c.event, "--", target, strconv.Itoa(n))
		checkWhole(t, path, c.hits)
		for _, h := range hits(t, path) {
			if h.User[0].Function != "step" {
				t.Fatalf("%s: an access in %s", c.event, functions(h.User))
			}
		}
	}
	r := run(t, exec.Command(command(t, "record"), "-a", "-e", fmt.Sprintf("watchpoint:%#x:8:w", watched), "--duration", "1"))
	if r.code != 2 || !strings.Contains(r.stderr, "one process") {
		t.Errorf("without a process: exit code %d, message\n%s", r.code, r.stderr)
	}
}

func symbolAddress(t *testing.T, program, name string) uint64 {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	for _, s := range symbols {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("%s: no symbol %s (%v)", program, name, err)
	return 0
}
