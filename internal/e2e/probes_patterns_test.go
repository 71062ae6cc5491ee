//go:build linux

package e2e

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// A pattern that matches 1,000 functions gives 1,000 probes, each with its own account.
func TestManyFunctions(t *testing.T) {
	testenv.Root(t)
	target := testenv.Target(t, "many")
	n, pattern := 1000, "many_*"
	if testenv.InVM() { // Linux 6.1 detaches uprobes one by one, which is slow
		n, pattern = 100, "many_0*"
	}
	for _, kind := range []string{"uprobe", "uretprobe"} {
		t.Run(kind, func(t *testing.T) {
			path := recordOK(t, "--allow-slow", "-e", kind+":"+target+":"+pattern, "--", target)
			q := qualityOf(t, path)
			recorded := make(map[string]uint64)
			for _, a := range q.Accounts {
				recorded[a.Probe] += a.Counts["recorded"]
			}
			if len(recorded) != n {
				t.Errorf("%d probes have hits, want %d", len(recorded), n)
			}
			total := 0
			for i := range n {
				name := fmt.Sprintf("%s:many:many_%03d", kind, i)
				if recorded[name] != uint64(i%3+1) {
					t.Errorf("%s has %d hits, want %d", name, recorded[name], i%3+1)
				}
				total += i%3 + 1
			}
			checkWhole(t, path, total)
			for _, h := range hits(t, path) {
				if kind == "uprobe" && h.User[0].Function != strings.TrimPrefix(h.Probe, "uprobe:many:") {
					t.Fatalf("a hit of %s is in %s", h.Probe, h.User[0].Function)
				}
			}
		})
	}
}

// Probes of a pattern share a BPF program and still have their own arguments.
func TestManyArguments(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "many")
	path := recordOK(t, "--allow-slow", "-e", "uretprobe:"+target+":many_[0-4]* ret=retval:s32", "--", target)
	all := hits(t, path)
	if len(all) != 999 { // 166 times 1+2+3, and 1+2 for 498 and 499
		t.Errorf("%d hits, want 999", len(all))
	}
	for _, h := range all {
		i, err := strconv.Atoi(h.Probe[len(h.Probe)-3:])
		if err != nil {
			t.Fatal(err)
		}
		if got := h.number(t, "ret"); got != int64(i+1) {
			t.Fatalf("%s returned %d", h.Probe, got)
		}
	}
}

// Returns of Go functions are exact while stacks move, garbage is collected and panics
// are recovered. The program checks its own results.
func TestGoReturns(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 100_000
	target := testenv.Target(t, "goreturns")
	path := recordOK(t, "--no-stacks", "-e", "uretprobe:"+target+":main.{answer,deep,rescued} ret=retval:s64",
		"-e", "uretprobe:"+target+":main.(*derived).value", "-e", "uretprobe:"+target+":main.(*base).value", "--", target, strconv.Itoa(n))
	r := run(t, exec.Command(target, strconv.Itoa(n)))
	var answers, deeps, rescues int
	if _, err := fmt.Sscan(r.stdout, &answers, &deeps, &rescues); err != nil {
		t.Fatal(err)
	}
	values := rescues // each of the two functions is called as often
	checkWhole(t, path, answers+deeps+rescues+2*values)
	all := hits(t, path)
	for name, want := range map[string]int{"main.answer": answers, "main.deep": deeps, "main.rescued": rescues,
		"main.(*derived).value": values, "main.(*base).value": values} {
		if got := len(of(all, "uretprobe", name)); got != want {
			t.Errorf("%d returns of %s, want %d", got, name, want)
		}
	}
	for _, h := range of(all, "uretprobe", "main.(*base).value") {
		if h.number(t, "retval") != 7 {
			t.Fatalf("value returned %v", h.Args["retval"])
		}
	}
	// It ends by a jump, where the result does not exist yet.
	for _, h := range of(all, "uretprobe", "main.(*derived).value") {
		if h.Args["retval"] != nil {
			t.Fatalf("a jump to another function returned %v", h.Args["retval"])
		}
	}
	returned := make(map[int64]int)
	for _, h := range of(all, "uretprobe", "main.answer") {
		returned[h.number(t, "ret")]++
	}
	const workers = 4
	for i := range int64(n / workers) {
		want := i + 1
		if i%2 == 1 {
			want = -i
		}
		if returned[want] != workers {
			t.Fatalf("answer returned %d %d times, want %d", want, returned[want], workers)
		}
	}
}

// Every hit of a pattern of kernel functions belongs to the function that was called.
// Without kprobe.multi links, as in Debian's 6.1, each function has its own link.
func TestKernelPatterns(t *testing.T) {
	for _, c := range []struct {
		entry, exit string
		need        func(testing.TB)
	}{
		{"kprobe", "kretprobe", testenv.Kprobes},
		{"fentry", "fexit", testenv.Fentry},
	} {
		t.Run(c.entry, func(t *testing.T) {
			c.need(t)
			const n = 500
			path := recordOK(t, "-e", c.entry+":vfs_rea*", "-e", c.exit+":vfs_rea* ret=retval:s64",
				"--", testenv.Target(t, "counter-static"), strconv.Itoa(n))
			all := hits(t, path)
			checkWhole(t, path, len(all))
			reads := where(of(all, c.exit, "vfs_read"), func(h *hit) bool { return argument(t, h, "ret") == readSize })
			if len(reads) != n {
				t.Errorf("%d returns of vfs_read with %d bytes, want %d", len(reads), readSize, n)
			}
			entries := of(all, c.entry, "vfs_read")
			if len(entries) < n || len(entries) != len(of(all, c.exit, "vfs_read")) {
				t.Errorf("%d entries of vfs_read, %d returns", len(entries), len(of(all, c.exit, "vfs_read")))
			}
			for _, h := range entries {
				if h.Kernel[0].Function != "vfs_read" {
					t.Fatalf("a hit of vfs_read is in %s", functions(h.Kernel))
				}
			}
		})
	}
}

// A pattern can probe all system calls at once.
func TestAllSystemCalls(t *testing.T) {
	testenv.Kprobes(t)
	const n = 300
	path := recordOK(t, "--allow-slow", "-e", "kprobe:__x64_sys_*", "--", testenv.Target(t, "counter-static"), "-c", "p", strconv.Itoa(n))
	all := hits(t, path)
	checkWhole(t, path, len(all))
	if got := len(of(all, "kprobe", "__x64_sys_getppid")); got != n {
		t.Errorf("%d calls of getppid, want %d", got, n)
	}
	for _, h := range all {
		// System calls without arguments have two names: __x64_sys_getppid and __ia32_sys_getppid.
		if _, name, _ := strings.Cut(h.Probe, "_sys_"); !strings.HasSuffix(h.Kernel[0].Function, "_sys_"+name) {
			t.Fatalf("a hit of %s is in %s", h.Probe, functions(h.Kernel))
		}
	}
}

func TestTooManyProbes(t *testing.T) {
	testenv.Root(t)
	target := testenv.Target(t, "many")
	r := run(t, exec.Command(command(t, "record"), "--dry-run", "--max-probes", "999", "-e", "uprobe:"+target+":many_*"))
	if r.code != 2 || !strings.Contains(r.stderr, "1000 probes match") {
		t.Errorf("exit code %d, message\n%s", r.code, r.stderr)
	}
}
