//go:build linux

package e2e

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// checkDurations matches the entry and return hits of each thread's calls and returns
// the number of calls. Two rules hold for any duration, and together exclude every entry
// but the call's own: a call takes longer than the calls that it makes, and it begins
// after the hit before its entry.
func checkDurations(t *testing.T, all []hit, atEntry func(*hit) bool) int {
	t.Helper()
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b hit) int { return cmp.Compare(a.Time, b.Time) })
	type open struct{ after, inner int64 }
	threads := make(map[int][]open)
	last := make(map[int]int64)
	calls := 0
	for i := range all {
		h := &all[i]
		stack, time := threads[h.TID], int64(h.Time)
		if atEntry(h) {
			threads[h.TID] = append(stack, open{after: last[h.TID]})
		} else {
			if len(stack) == 0 {
				t.Fatalf("return of %s without its entry", h.Probe)
			}
			call, took := stack[len(stack)-1], h.number(t, "duration")
			if took <= call.inner || time-took <= call.after {
				t.Fatalf("call %d, %s: %d ns until %d: the calls in it took %d, and it began after %d", calls, h.Probe, took, h.Time, call.inner, call.after)
			}
			if stack = stack[:len(stack)-1]; len(stack) > 0 {
				stack[len(stack)-1].inner += took
			}
			threads[h.TID] = stack
			calls++
		}
		last[h.TID] = time
	}
	return calls
}

func isEntry(h *hit) bool {
	return strings.HasPrefix(h.Probe, "uprobe:") || strings.HasPrefix(h.Probe, "kprobe:") ||
		strings.HasPrefix(h.Probe, "fentry:") || strings.Contains(h.Probe, ":sys_enter")
}

func TestDurationsOfRecursion(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "calls")
	path := recordOK(t, "--no-stacks", "-e", "uprobe:"+target+":fib", "-e", "uretprobe:"+target+":fib duration", "--", target, "fib", "12")
	const calls = 12 * 465 // of fib(12): 2*fib(13)-1
	checkWhole(t, path, 2*calls)
	if n := checkDurations(t, hits(t, path), isEntry); n != calls {
		t.Errorf("%d calls, want %d", n, calls)
	}
}

// A call that longjmp leaves never returns. The next call at the same depth must not be
// mistaken for it.
func TestDurationsAfterLongjmp(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 1000
	target := testenv.Target(t, "calls")
	path := recordOK(t, "--no-stacks", "-e", "uprobe:"+target+":jump", "-e", "uretprobe:"+target+":jump duration", "--", target, "jump", "1000")
	checkWhole(t, path, n+n/2)
	all := hits(t, path)
	slices.SortStableFunc(all, func(a, b hit) int { return cmp.Compare(a.Time, b.Time) })
	returned := 0
	for i := range all {
		if h := &all[i]; !isEntry(h) {
			// The previous hit is its entry; the one before is the entry of an abandoned call.
			if took := h.number(t, "duration"); i >= 3 && int64(h.Time)-took <= int64(all[i-2].Time) {
				t.Fatalf("hit %d: %d ns until %d: it began before the hit before its own entry", i, took, h.Time)
			}
			returned++
		}
	}
	if returned != n/2 {
		t.Errorf("%d calls returned, want %d", returned, n/2)
	}
}

// All slow calls are recorded, and no others.
func TestMinLatency(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 500
	target := testenv.Target(t, "calls")
	for _, event := range []string{"uretprobe:" + target + ":nap i=retval:s32 duration", "syscalls:sys_exit_clock_nanosleep duration"} {
		path := recordOK(t, "--no-stacks", "--min-latency", "10ms", "-e", event, "--", target, "nap", "500")
		q := qualityOf(t, path)
		all := hits(t, path)
		slow := 0
		for _, h := range all {
			took := h.number(t, "duration")
			if took < 10e6 {
				t.Errorf("%s: recorded a call of %d ns", event, took)
			}
			if took >= 20e6 {
				slow++
			}
		}
		if slow < n/10 {
			t.Errorf("%s: %d calls of at least 20 ms, want %d", event, slow, n/10)
		}
		if int(q.Account["recorded"]) != len(all) || q.Account["recorded"]+q.Account["filtered"] != q.total() {
			t.Errorf("%s: %d hits in the capture, the account is %v", event, len(all), q.Account)
		}
	}
}

// The duration of a system call starts at its entry tracepoint.
func TestDurationsOfSystemCalls(t *testing.T) {
	testenv.Root(t)
	target := testenv.Target(t, "counter-static")
	path := recordOK(t, "--no-stacks", "-e", "raw_syscalls:sys_enter", "-e", "raw_syscalls:sys_exit id duration", "--", target, "-c", "pr", "-t", "3", "2000")
	var all []hit
	exited := map[int]bool{}
	for _, h := range hits(t, path) {
		// The first exits are those of clone and execve, whose entries were recorded in
		// another thread or not at all; exit never returns.
		if number := h.number(t, "id"); number != 110 && number != 0 {
			exited[h.TID] = true
			continue
		}
		all = append(all, h)
	}
	if n := checkDurations(t, all, isEntry); n != 2*3*2000 {
		t.Errorf("%d calls, want %d", n, 2*3*2000)
	}
}

// Goroutines change threads, and their stacks move. The start of every call is found
// nevertheless.
func TestDurationsOfGoroutines(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const depth, times = 201, 8
	target := testenv.Target(t, "goreturns")
	path := recordOK(t, "--no-stacks", "-e", "uretprobe:"+target+":main.deep duration", "--", target, "8000")
	all := hits(t, path)
	checkWhole(t, path, len(all))
	slices.SortStableFunc(all, func(a, b hit) int { return cmp.Compare(a.Time, b.Time) })
	if len(all) != depth*times {
		t.Errorf("%d calls, want %d", len(all), depth*times)
	}
	for i, h := range all {
		if took := h.number(t, "duration"); took <= 0 || took > int64(all[len(all)-1].Time-all[0].Time)+1e9 {
			t.Fatalf("hit %d: a duration of %d", i, took)
		}
	}
}

// Kernel functions have durations with either kind of hook.
func TestDurationsOfKernelFunctions(t *testing.T) {
	for _, c := range []struct {
		entry, exit string
		need        func(testing.TB)
	}{
		{"kprobe", "kretprobe", testenv.Kprobes},
		{"fentry", "fexit", testenv.Fentry},
	} {
		t.Run(c.entry, func(t *testing.T) {
			c.need(t)
			const n, threads = 1000, 2
			path := recordOK(t, "--no-stacks", "-e", c.entry+":__x64_sys_read", "-e", c.exit+":__x64_sys_read duration", "-e", c.entry+":vfs_read", "-e", c.exit+":vfs_read duration",
				"--", testenv.Target(t, "counter-static"), "-c", "r", "-t", "2", "1000")
			all := hits(t, path)
			checkWhole(t, path, len(all))
			if got := checkDurations(t, all, isEntry); got < 2*n*threads {
				t.Errorf("%d calls, want %d", got, 2*n*threads)
			}
		})
	}
}
