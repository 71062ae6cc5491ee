//go:build linux

package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// All spellings of a probe give the same hits: many_002 is called three times, with 2.
func TestSpellingsOfOneFunction(t *testing.T) {
	testenv.Root(t)
	target := testenv.Target(t, "many")
	plan := run(t, exec.Command(command(t, "record"), "--dry-run", "-e", "u:"+target+":many_002"))
	place := regexp.MustCompile(`\+(0x[0-9a-f]+)\n`).FindStringSubmatch(plan.stdout)
	if plan.code != 0 || place == nil {
		t.Fatalf("record --dry-run: exit code %d\n%s%s", plan.code, plan.stdout, plan.stderr)
	}
	path := recordOK(t,
		"-e", "u:"+target+":many_002 arg0:s32",
		"-e", `quoted=uprobe:"`+target+`":"many_002" $arg1:s32`,
		"-e", "u:"+target+":"+place[1]+" arg0:s32",
		"-e", "p:ftrace "+target+":many_002 i=%di:s32",
		"-e", "r:ftrace_return "+target+":"+place[1]+" $retval:s32",
		"-e", "u:"+target+":~/^many_0*2$/ arg0:s32 [name=pattern]",
		"-x", target, "-e", "perf_probe=many_002 arg0:s32", "-e", "perf_probe_return=many_002%return $retval:s32",
		"--", target)
	counts := make(map[string]int)
	for _, h := range hits(t, path) {
		counts[h.Probe]++
		want := int64(2)
		if strings.HasSuffix(h.Probe, "_return") {
			want = 3
		}
		if len(h.Args) != 1 {
			t.Fatalf("%s has arguments %v", h.Probe, h.Args)
		}
		for name := range h.Args {
			if got := h.number(t, name); got != want {
				t.Errorf("%s: %s is %d, want %d", h.Probe, name, got, want)
			}
		}
	}
	for _, name := range []string{"uprobe:many:many_002", "quoted", "uprobe:many:" + place[1], "ftrace", "ftrace_return", "pattern", "perf_probe", "perf_probe_return"} {
		if counts[name] != 3 {
			t.Errorf("%s: %d hits, want 3 (all: %v)", name, counts[name], counts)
		}
	}
	checkWhole(t, path, 8*3)
}

// The modifiers of an event override the options for all events.
func TestStacksOfSingleEvents(t *testing.T) {
	testenv.Root(t)
	target := testenv.Target(t, "many")
	event := "raw_syscalls:sys_enter" // has kernel and user stacks
	path := recordOK(t, "-U", "-e", "default="+event, "-e", "both="+event+" [stack=ku]", "-e", "kernel="+event+"[stack=k]", "-e", "none="+event+" [stack=none]", "--", target)
	all := hits(t, path)
	counts := make(map[string]int)
	for _, h := range all {
		counts[h.Probe]++
		kernel, user := len(h.Kernel) > 0, len(h.User) > 0
		if wantKernel, wantUser := h.Probe == "both" || h.Probe == "kernel", h.Probe == "both" || h.Probe == "default"; kernel != wantKernel || user != wantUser {
			t.Errorf("%s: %d frames in the kernel, %d in the program", h.Probe, len(h.Kernel), len(h.User))
		}
	}
	if n := counts["default"]; n == 0 || counts["both"] != n || counts["kernel"] != n || counts["none"] != n {
		t.Errorf("hits by probe: %v, want as many of each", counts)
	}
	checkWhole(t, path, len(all))
}
