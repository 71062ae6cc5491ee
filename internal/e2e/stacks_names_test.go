//go:build linux

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// Each child exits a millisecond after it started, long before its functions are named.
func TestShortLivedProcessesHaveNames(t *testing.T) {
	testenv.Root(t)
	const n, children = 10, 50
	target := testenv.Target(t, "brief")
	path := recordOK(t, "-e", getppid, "--", target, "10", "50")
	checkWhole(t, path, n*children)
	all := hits(t, path)
	checkStacks(t, all, "inner outer main")
	pids := map[int]bool{}
	for _, h := range all {
		pids[h.PID] = true
		if f := h.User[0]; f.Image != target || filepath.Base(f.File) != "brief.c" || f.Line == 0 {
			t.Fatalf("the innermost call is %+v, want a line of brief.c in %s", f, target)
		}
	}
	if len(pids) != children {
		t.Errorf("hits of %d processes, want %d", len(pids), children)
	}
}

func TestGoProgramsHaveNames(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	for _, name := range []string{"gocounter", "gocounter-stripped"} {
		t.Run(name, func(t *testing.T) {
			const n = 500
			path := recordOK(t, "-e", getppid, "--", testenv.Target(t, name), "500")
			checkWhole(t, path, n)
			for _, h := range hits(t, path) {
				// With frame pointers, the caller of the assembly that makes the system
				// call, main.leaf, is missing.
				if !strings.Contains(functions(h.User), "main.mid main.top main.main runtime.main") {
					t.Fatalf("the stack is %q", functions(h.User))
				}
			}
		})
	}
}

// Timed samples of a busy program are in its busy function.
func TestTimedSamples(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const ms, hz = 1000, 99
	path := recordOK(t, "-F", "99", "-e", "cpu-clock", "--", testenv.Target(t, "busy"), "1000")
	all := hits(t, path)
	checkWhole(t, path, len(all))
	if want := ms * hz / 1000; len(all) < want/2 || len(all) > want*2 {
		t.Errorf("%d samples of a program that was busy for %d ms, want about %d", len(all), ms, want)
	}
	busy := where(all, func(h *hit) bool { return strings.HasPrefix(functions(h.User)+" ", "spin main ") })
	if len(busy) < len(all)*9/10 {
		t.Errorf("%d of %d samples are in spin", len(busy), len(all))
	}
}
