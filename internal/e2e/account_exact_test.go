//go:build linux

package e2e

import (
	"strconv"
	"testing"

	"trapline/internal/testenv"
)

// The counter reads 7 bytes and allocates 4321, sizes that the C library does not use
// itself.
const (
	readSize   = 7
	mallocSize = 4321
)

func TestCountsAreExact(t *testing.T) {
	testenv.Root(t)
	for _, c := range []struct {
		name    string
		target  string
		args    []string
		workers int // threads of all processes
	}{
		{"one thread", "counter", nil, 1},
		{"threads", "counter", []string{"-t", "4"}, 4},
		{"forks", "counter", []string{"-f", "3", "-t", "2"}, 8},
		{"execs", "counter", []string{"-f", "3", "-x"}, 4},
		{"not position-independent", "counter-nopie", []string{"-t", "2"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			const n = 1000
			target := testenv.Target(t, c.target)
			path := recordOK(t, append(append([]string{
				"-e", "syscalls:sys_enter_getppid",
				"-e", "syscalls:sys_enter_read",
				"-e", "uprobe:libc:malloc size=arg0:u64",
				"-e", "uprobe:" + target + ":leaf i=arg0:s32 name=arg1:ustring x=arg2:s64",
				"--", target}, c.args...), strconv.Itoa(n))...)
			all := hits(t, path)
			checkWhole(t, path, len(all))

			getppid := of(all, "syscalls", "sys_enter_getppid")
			checkStacks(t, getppid, "leaf mid top")
			reads := where(of(all, "syscalls", "sys_enter_read"), func(h *hit) bool { return argument(t, h, "count") == readSize })
			mallocs := where(of(all, "uprobe", "malloc"), func(h *hit) bool { return h.number(t, "size") == mallocSize })
			entries := of(all, "uprobe", "leaf")
			for _, got := range []struct {
				what string
				hits []hit
			}{{"getppid", getppid}, {"read", reads}, {"malloc", mallocs}, {"leaf", entries}} {
				if len(got.hits) != n*c.workers {
					t.Errorf("%d hits of %s, want %d", len(got.hits), got.what, n*c.workers)
				}
				checkThreads(t, got.what, got.hits, n, c.workers)
			}
			checkArguments(t, entries, n, c.workers)
		})
	}
}

// checkThreads fails unless there are n hits of each of the workers.
func checkThreads(t *testing.T, what string, all []hit, n, workers int) {
	t.Helper()
	byThread := threadsOf(all)
	for tid, hits := range byThread {
		if hits != n {
			t.Errorf("%s: %d hits of thread %d, want %d", what, hits, tid, n)
		}
	}
	if len(byThread) != workers {
		t.Errorf("%s: hits of %d threads, want %d", what, len(byThread), workers)
	}
}

// checkArguments fails unless each worker called leaf once with every i and the
// arguments that counter.c documents.
func checkArguments(t *testing.T, entries []hit, n, workers int) {
	t.Helper()
	calls := make([]int, n)
	for _, h := range entries {
		i := h.number(t, "i")
		if i < 0 || i >= int64(n) || h.number(t, "x") != 1000+i || h.Args["name"] != "leaf-name" {
			t.Fatalf("leaf was called with %v", h.Args)
		}
		calls[i]++
	}
	for i, times := range calls {
		if times != workers {
			t.Fatalf("leaf(%d) was called %d times, want %d", i, times, workers)
		}
	}
}

// Return probes are recorded separately: before Linux 6.11 they hide the caller of
// their function from the stacks of other hits.
func TestReturnsAreExact(t *testing.T) {
	testenv.Root(t)
	const n, workers = 1000, 4
	target := testenv.Target(t, "counter")
	path := recordOK(t, "-e", "uretprobe:"+target+":leaf ret=retval:s32", "--", target, "-c", "p", "-t", "2", "-f", "1", strconv.Itoa(n))
	checkWhole(t, path, n*workers)
	all := hits(t, path)
	checkThreads(t, "returns", all, n, workers)
	returned := map[int64]int{}
	for _, h := range all {
		returned[h.number(t, "ret")]++
	}
	for i := range int64(n) {
		if returned[3*i+1] != workers {
			t.Fatalf("leaf returned %d %d times, want %d", 3*i+1, returned[3*i+1], workers)
		}
	}
}

// argument returns an integer argument. Unsigned arguments of system calls are printed
// in hexadecimal.
func argument(t *testing.T, h *hit, name string) int64 {
	t.Helper()
	if s, ok := h.Args[name].(string); ok {
		v, err := strconv.ParseInt(s, 0, 64)
		if err != nil {
			t.Fatalf("%s: argument %s is %q", h.Probe, name, s)
		}
		return v
	}
	return h.number(t, name)
}
