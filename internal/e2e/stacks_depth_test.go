//go:build linux

package e2e

import (
	"cmp"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

const cutByDepth = "[truncated: depth limit reached]"

// shallow returns the stack of functions all as reports print it, limited to depth frames.
func shallow(all string, depth int) string {
	names := strings.Fields(all)
	if len(names) <= depth {
		return all
	}
	return strings.Join(append(names[:depth:depth], cutByDepth), " ")
}

// The depth of stacks can be set for each event; --max-stack applies to the others. Both
// ways of unwinding obey it. A stack that ends exactly at the limit is not truncated.
func TestDepthOfSingleEvents(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n, deepest = 500, 25
	target := testenv.Target(t, "counter")
	leaf := "leaf " + strings.Repeat("down ", 20) + "mid top work main"
	for _, method := range []string{"dwarf", "fp"} {
		t.Run(method, func(t *testing.T) {
			args := []string{"--call-graph", method, "--max-stack", "6", "-e", "plain=raw_syscalls:sys_enter /id == 110/", "-e", "whole=raw_syscalls:sys_enter /id == 110/ [depth=127]"}
			depths := map[string]int{"plain": 6}
			for kind, event := range map[string]string{
				"tracepoint": "raw_syscalls:sys_enter /id == 110/", "raw": "rawtracepoint:sys_enter /id == 110/", "user": "uprobe:" + target + ":leaf",
			} {
				for _, depth := range []int{1, 2, 3, 4, 24, deepest} {
					name := fmt.Sprintf("%s%d", kind, depth)
					depths[name] = depth
					args = append(args, "-e", fmt.Sprintf("%s=%s [depth=%d]", name, event, depth))
				}
			}
			path := filepath.Join(t.TempDir(), "trapline.data")
			args = append(args, "--verify-stacks", "1", "-o", path, "--", target, "-c", "p", "-d", "20", fmt.Sprint(n))
			r := run(t, exec.Command(command(t, "record"), args...))
			if r.code != 0 || method == "dwarf" && !strings.Contains(r.stderr, " user, 0 different; ") {
				t.Fatalf("record: exit code %d\n%s", r.code, r.stderr)
			}
			all := hits(t, path)
			if want := n * (len(depths) + 1); len(all) != want {
				t.Errorf("%d hits, want %d", len(all), want)
			}
			kernel := ""
			for _, h := range all {
				if h.Probe == "whole" {
					kernel = functions(h.Kernel)
				}
			}
			if !strings.HasSuffix(kernel, "entry_SYSCALL_64_after_hwframe") {
				t.Fatalf("the whole kernel stack is %q", kernel)
			}
			for _, h := range all {
				depth, limited := depths[h.Probe]
				if !limited {
					continue
				}
				want := shallow(kernel, depth) // raw tracepoints have the same kernel stack
				if strings.HasPrefix(h.Probe, "user") {
					want = ""
				}
				if got := functions(h.Kernel); got != want {
					t.Fatalf("%s: the kernel stack is %q, want %q", h.Probe, got, want)
				}
				want = shallow(leaf+" and more", depth) // the callers of main do not matter
				if got := functions(h.User); got != want {
					t.Fatalf("%s: the user stack is %q, want %q", h.Probe, got, want)
				}
			}
		})
	}
}

// The depth also holds for kernel functions, whose stacks begin with frames of the hook.
func TestDepthOfFunctions(t *testing.T) {
	testenv.Fentry(t)
	testenv.Kprobes(t)
	const n = 300
	for _, kind := range []string{"fentry", "fexit", "kprobe", "kretprobe"} {
		args := []string{"-K", "-e", "whole=" + kind + ":__x64_sys_getppid"}
		depths := []int{1, 3}
		for _, depth := range depths {
			args = append(args, "-e", fmt.Sprintf("d%d=%s:__x64_sys_getppid [depth=%d]", depth, kind, depth))
		}
		path := recordOK(t, append(args, "--", testenv.Target(t, "counter-static"), "-c", "p", fmt.Sprint(n))...)
		checkWhole(t, path, (1+len(depths))*n)
		all := hits(t, path)
		whole := ""
		for _, h := range all {
			if h.Probe == "whole" {
				whole = functions(h.Kernel)
			}
		}
		for _, h := range all {
			depth, _ := strconv.Atoi(strings.TrimPrefix(h.Probe, "d"))
			if got, want := functions(h.Kernel), shallow(whole, depth); depth > 0 && got != want {
				t.Fatalf("%s, depth %d: the kernel stack is %q, want %q", kind, depth, got, want)
			}
		}
		if !strings.HasSuffix(whole, "entry_SYSCALL_64_after_hwframe") {
			t.Errorf("%s: the whole kernel stack is %q", kind, whole)
		}
	}
}

// The depth also holds for stacks that are unwound in user space. Each limited stack is
// the beginning of the complete one, which is recorded at the same moment.
func TestDepthOfAllStacks(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	program := stacksProgram(t, "gcc-O2-nofp")
	const depth = 5
	path := filepath.Join(t.TempDir(), "trapline.data")
	r := run(t, exec.Command(command(t, "record"), "-v", "-o", path, "-m", "64M", "--time-resolution", "1ns",
		"-e", "whole="+trap, "-e", "some="+trap+fmt.Sprintf(" [depth=%d]", depth), "--", program))
	if r.code != 0 || !strings.Contains(r.stderr, "sent raw") {
		t.Fatalf("record: exit code %d\n%s", r.code, r.stderr)
	}
	all := hits(t, path)
	checkWhole(t, path, len(all))
	slices.SortStableFunc(all, func(a, b hit) int { return cmp.Or(cmp.Compare(a.TID, b.TID), cmp.Compare(a.Time, b.Time)) })
	whole := where(all, func(h *hit) bool { return h.Probe == "whole" })
	some := where(all, func(h *hit) bool { return h.Probe == "some" })
	if len(whole) != len(some) || len(some) < 1000 {
		t.Fatalf("%d hits, and %d of the other event", len(whole), len(some))
	}
	cut := 0
	for i := range some {
		want := frames(&whole[i])
		if len(want) > depth {
			want = append(want[:depth:depth], call{Function: cutByDepth, Truncated: true})
			cut++
		}
		if got := written(frames(&some[i])); got != written(want) {
			t.Fatalf("hit %d: the stack is\n\t%s\nwant\n\t%s", i, got, written(want))
		}
	}
	if cut*2 < len(some) {
		t.Errorf("only %d of %d stacks are deeper than %d frames", cut, len(some), depth)
	}
}
