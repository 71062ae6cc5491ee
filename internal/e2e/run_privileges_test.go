//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

// A capability is a Linux capability.
type capability struct {
	name   string
	number uintptr
}

var (
	capBPF      = capability{"CAP_BPF", unix.CAP_BPF}
	capPerfmon  = capability{"CAP_PERFMON", unix.CAP_PERFMON}
	capSysAdmin = capability{"CAP_SYS_ADMIN", unix.CAP_SYS_ADMIN}
	capReadAll  = capability{"CAP_DAC_READ_SEARCH", unix.CAP_DAC_READ_SEARCH}
)

// withCapabilities makes a command run as another user, with only these capabilities.
func withCapabilities(cmd *exec.Cmd, caps []capability) *exec.Cmd {
	numbers := make([]uintptr, len(caps))
	for i, c := range caps {
		numbers[i] = c.number
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: otherUser, Gid: otherUser}, AmbientCaps: numbers}
	return cmd
}

// Each kind of probe works with the capabilities that docs/privileges.md lists. If one is
// missing, record exits with status 3 and names it.
func TestCapabilities(t *testing.T) {
	testenv.Root(t)
	const n = 1000
	perfEventParanoid(t, "2")
	answers := info(t, exec.Command(command(t, "record"), "--info")) // also mounts tracefs
	target := filepath.Join(publicDir(t), "counter")
	copyProgram(t, testenv.Target(t, "counter-static"), target)
	uprobe := []capability{capBPF, capPerfmon}
	if answers["uprobe.multi"] != "yes" {
		uprobe = append(uprobe, capSysAdmin)
	}
	for _, c := range []struct {
		kind, event string
		caps        []capability
		each        bool // try without each
	}{
		{"tracepoint", getppid, []capability{capBPF, capPerfmon, capReadAll}, true},
		{"rawtracepoint", "rawtracepoint:sys_enter", []capability{capBPF, capPerfmon}, false},
		{"cpu-clock", "cpu-clock", []capability{capBPF, capPerfmon}, false},
		{"uprobe", "uprobe:" + target + ":leaf", uprobe, true},
		{"kprobe", "kprobe:__x64_sys_getppid", []capability{capBPF, capPerfmon}, true},
		{"kretprobe", "kretprobe:__x64_sys_getppid", []capability{capBPF, capPerfmon}, false},
		{"fentry, fexit", "fentry:vfs_read", []capability{capBPF, capPerfmon}, false},
	} {
		t.Run(c.event[strings.LastIndexByte(c.event, '/')+1:], func(t *testing.T) {
			if answers[c.kind] != "yes" {
				testenv.KernelLacks(t, c.kind) // TestInfo checks that this is so
			}
			try := func(caps []capability) result {
				path := filepath.Join(publicDir(t), "trapline.data")
				r := run(t, withCapabilities(exec.Command(command(t, "record"), "-o", path, "-e", c.event, "--", target, "-c", "p", strconv.Itoa(n)), caps))
				if r.code == 0 && (strings.HasSuffix(c.event, "getppid") || strings.HasSuffix(c.event, "leaf")) { // one hit per call
					checkWhole(t, path, n)
				}
				return r
			}
			if r := try(c.caps); r.code != 0 {
				t.Errorf("with %v: exit code %d\n%s", c.caps, r.code, r.stderr)
			}
			if !c.each {
				return
			}
			for i, without := range c.caps {
				rest := slices.Delete(slices.Clone(c.caps), i, i+1)
				if slices.Contains(rest, capSysAdmin) && without != capSysAdmin && without != capReadAll {
					continue // CAP_SYS_ADMIN includes it
				}
				if r := try(rest); r.code != 3 || !strings.Contains(r.stderr, without.name) {
					t.Errorf("without %s: exit code %d, want 3 and a message that names it\n%s", without.name, r.code, r.stderr)
				}
			}
		})
	}
}

// Functions of another user's running process have names.
func TestOtherUsersProcess(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	perfEventParanoid(t, "2")
	info(t, exec.Command(command(t, "record"), "--info"))
	target := exec.Command(testenv.Target(t, "counter"), "-c", "p", "-r", "1000", "1000000")
	if err := target.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		target.Process.Kill()
		target.Wait()
	})
	path := filepath.Join(publicDir(t), "trapline.data")
	cmd := exec.Command(command(t, "record"), "-o", path, "-e", getppid, "-p", strconv.Itoa(target.Process.Pid), "-M", "100")
	runOK(t, withCapabilities(cmd, []capability{capBPF, capPerfmon, capReadAll, {"CAP_SYS_PTRACE", unix.CAP_SYS_PTRACE}}))
	all := hits(t, path)
	checkWhole(t, path, 100)
	checkStacks(t, all, "leaf mid top")
}

// Some distributions add levels of perf_event_paranoid that require CAP_SYS_ADMIN.
func TestParanoidKernel(t *testing.T) {
	testenv.VM(t)
	perfEventParanoid(t, "3")
	r := run(t, withCapabilities(exec.Command(command(t, "record"), "-o", "/dev/null", "-e", "rawtracepoint:sys_enter", "--", testenv.Target(t, "counter-static"), "1"), []capability{capBPF, capPerfmon}))
	if r.code != 3 || !strings.Contains(r.stderr, "kernel.perf_event_paranoid is 3") {
		t.Errorf("exit code %d, want 3 and a message about kernel.perf_event_paranoid\n%s", r.code, r.stderr)
	}
}

// The error for a function that cannot be traced says so.
func TestRefusedKprobe(t *testing.T) {
	testenv.VM(t)
	r := run(t, exec.Command(command(t, "record"), "-o", "/dev/null", "-e", "kprobe:sched_clock", "--", testenv.Target(t, "counter-static"), "1"))
	if r.code != 2 || !strings.Contains(r.stderr, "sched_clock is notrace") && !strings.Contains(r.stderr, "the kernel forbids kprobes in sched_clock") {
		t.Errorf("exit code %d, want 2 and why the kernel refuses\n%s", r.code, r.stderr)
	}
}

// record --info says what can be recorded, and which capabilities are missing.
func TestInfo(t *testing.T) {
	testenv.Root(t)
	asRoot := info(t, exec.Command(command(t, "record"), "--info"))
	want := map[string]bool{"tracepoint": true, "rawtracepoint": true, "uprobe": true, "cpu-clock": true,
		"kprobe": testenv.HaveKprobes(), "kretprobe": testenv.HaveKprobes(), "watchpoint": testenv.HaveBreakpoints(t)}
	if testenv.InVM() {
		want["fentry, fexit"] = true
	}
	for kind, there := range want {
		if (asRoot[kind] == "yes") != there {
			t.Errorf("%s: %q, but available is %t", kind, asRoot[kind], there)
		}
	}
	asNobody := info(t, withCapabilities(exec.Command(command(t, "record"), "--info"), nil))
	for kind, answer := range asNobody {
		if answer == "yes" || asRoot[kind] == "yes" && !strings.Contains(answer, "lacks CAP_") && !strings.Contains(answer, "lacks CAP_BPF and CAP_PERFMON") {
			t.Errorf("without capabilities, %s: %q", kind, answer)
		}
	}
}

// publicDir returns a directory that every user can write to.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "trapline-public")
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// info runs record --info and returns its answer for each kind of probe.
func info(t *testing.T, cmd *exec.Cmd) map[string]string {
	t.Helper()
	r := run(t, cmd)
	if r.code != 0 {
		t.Fatalf("%s: exit code %d\n%s", cmd, r.code, r.stderr)
	}
	answers := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^  (\S+(?:, \S+)?) +(yes$|no: .*)`).FindAllStringSubmatch(r.stdout, -1) {
		answers[m[1]] = m[2]
	}
	if len(answers) < 10 {
		t.Fatalf("record --info printed\n%s", r.stdout)
	}
	return answers
}

// perfEventParanoid sets the sysctl for the duration of a test if it is stricter, and in
// virtual machines in any case.
func perfEventParanoid(t *testing.T, level string) {
	t.Helper()
	const path = "/proc/sys/kernel/perf_event_paranoid"
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if now, err := strconv.Atoi(strings.TrimSpace(string(before))); err == nil && now <= 2 && !testenv.InVM() {
		return
	}
	if err := os.WriteFile(path, []byte(level), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.WriteFile(path, before, 0) })
}
