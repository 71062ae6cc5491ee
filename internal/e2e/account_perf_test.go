//go:build linux

package e2e

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// perf and record observe the same run of a program. They must agree on the number of
// hits for each command and innermost function.
func TestAgreesWithPerf(t *testing.T) {
	testenv.Root(t)
	perf := testenv.Tool(t, "perf")
	target := testenv.Target(t, "counter")
	dir := t.TempDir()
	data, path := filepath.Join(dir, "perf.data"), filepath.Join(dir, "trapline.data")
	const read = "syscalls:sys_enter_read"
	runOK(t, exec.Command(perf, "record", "-q", "-m", "16M", "-c", "1", "-g", "-e", getppid, "-e", read, "-o", data, "--",
		command(t, "record"), "-q", "-o", path, "-e", getppid, "-e", read, "--",
		target, "-t", "2", "-f", "2", "-x", "1000"))

	ours := map[string]int{}
	for _, h := range hits(t, path) {
		if isTarget(h.Comm) {
			ours[h.Probe+" "+h.Comm+" "+innermost(h.User)]++
		}
	}
	theirs := perfHits(t, perf, data)
	if !maps.Equal(ours, theirs) {
		t.Errorf("record has %v\nperf has   %v", ours, theirs)
	}
	if n := ours[getppid+" counter leaf"] + ours[getppid+" exe leaf"]; n != 6000 {
		t.Errorf("%d hits of getppid, want 6000", n)
	}
}

// isTarget reports whether a hit is of the counter, which also executes itself through
// /proc/self/exe. perf records record as well.
func isTarget(comm string) bool { return comm == "counter" || comm == "exe" }

// innermost returns the innermost function of a user stack, ignoring inlined calls as
// perf does. For libraries it returns the image: if several symbols share an address,
// perf may choose a different one.
func innermost(calls []call) string {
	for _, c := range calls {
		if !c.Inlined {
			return place(c.Function, c.Image)
		}
	}
	return ""
}

func place(function, image string) string {
	if filepath.Base(image) != "counter" {
		return filepath.Base(image)
	}
	return function
}

// perfHits counts the counter's hits in perf.data by event, command and innermost user
// function. For each hit, perf script prints the event, the functions from the innermost
// kernel frame to the outermost user frame, and an empty line.
func perfHits(t *testing.T, perf, data string) map[string]int {
	t.Helper()
	cmd := exec.Command(perf, "script", "--no-inline", "-i", data, "-F", "comm,event,ip,sym,dso")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for hit := range strings.SplitSeq(string(out), "\n\n") {
		lines := strings.Split(strings.Trim(hit, "\n"), "\n")
		head := strings.Fields(lines[0])
		if len(head) < 2 || !isTarget(head[0]) {
			continue
		}
		function := ""
		for _, line := range lines[1:] {
			// ip symbol (dso)
			if f := strings.Fields(line); len(f) >= 3 && f[len(f)-1] != "([kernel.kallsyms])" {
				function = place(f[1], strings.Trim(f[len(f)-1], "()"))
				break
			}
		}
		counts[strings.TrimSuffix(head[1], ":")+" "+head[0]+" "+function]++
	}
	return counts
}
