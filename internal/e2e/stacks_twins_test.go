//go:build linux

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

var verifiedStacks = regexp.MustCompile(`stacks verified: ([0-9,]+) user, ([0-9,]+) different`)

// Rules belong to a program, not to an address, a process ID or a path. Two programs that
// differ only in their frame sizes are never confused.
func TestStacksOverTime(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	a, b := testenv.Target(t, "twin-a"), testenv.Target(t, "twin-b")
	const runs, stacks = 20, 50

	check := func(t *testing.T, script string, args ...string) []hit {
		path := filepath.Join(t.TempDir(), "trapline.data")
		r := run(t, exec.Command(command(t, "record"), slices.Concat([]string{"-o", path, "-m", "64M", "--call-graph", "dwarf"}, args,
			[]string{"-e", trap, "--", "sh", "-e", "-c", script})...))
		if r.code != 0 {
			t.Fatalf("record: exit code %d\n%s", r.code, r.stderr)
		}
		if slices.Contains(args, "--verify-stacks") {
			// Exact unwinding, which asks for mappings later, agrees on every stack.
			if m := verifiedStacks.FindStringSubmatch(r.stderr); m == nil || m[2] != "0" || m[1] == "0" {
				t.Errorf("want all stacks verified and none different:\n%s", r.stderr)
			}
		}
		all := hits(t, path)
		checkWhole(t, path, 2*runs*stacks)
		seen := map[string]int{}
		for i := range all {
			seen[written(frames(&all[i]))]++
		}
		for _, name := range []string{"a", "b"} {
			p := parseStack(t, fmt.Sprintf("inner_%s outer_%s main %s", name, name, staticTail))
			n := 0
			for i := range all {
				if p.matches(frames(&all[i])) {
					n++
				}
			}
			if n != runs*stacks {
				t.Errorf("%d hits have the stack %s, want %d; all stacks: %v", n, p, runs*stacks, seen)
			}
		}
		return all
	}
	t.Run("same addresses", func(t *testing.T) {
		check(t, strings.Repeat(a+"; "+b+"; ", runs))
	})
	t.Run("same process ID", func(t *testing.T) {
		all := check(t, strings.Repeat(testenv.Target(t, "samepid")+" "+a+" "+b+"; ", runs))
		hits := map[int]int{}
		for _, h := range all {
			hits[h.PID]++
		}
		for pid, n := range hits {
			if n != 2*stacks {
				t.Errorf("%d hits of process ID %d, want %d of one program and as many of the other", n, pid, stacks)
			}
		}
	})
	t.Run("process ID reused at once", func(t *testing.T) {
		check(t, testenv.Target(t, "samepid")+strings.Repeat(" "+a+" "+b, runs), "--verify-stacks", "1")
	})
}
