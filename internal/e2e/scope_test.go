//go:build linux

package e2e

import (
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

const getppid = "syscalls:sys_enter_getppid"

// otherUser has no name and no processes.
const otherUser = 54321

func asOtherUser(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: otherUser, Gid: otherUser}}
	return cmd
}

// runOK runs a target that must succeed.
func runOK(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if r := run(t, cmd); r.code != 0 {
		t.Fatalf("%s: exit code %d\n%s", cmd, r.code, r.stderr)
	}
}

func TestScope(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 1000
	target := testenv.Target(t, "counter-static")
	count := func() *exec.Cmd { return exec.Command(target, "-c", "p", "-t", "2", "-f", "1", strconv.Itoa(n)) }

	t.Run("user", func(t *testing.T) {
		r := startRecord(t, "-a", "-u", strconv.Itoa(otherUser), "-e", getppid)
		runOK(t, count())
		runOK(t, asOtherUser(count()))
		r.stopOK(t)
		checkWhole(t, r.path, 4*n)
	})
	t.Run("cpu", func(t *testing.T) {
		if runtime.NumCPU() < 2 {
			testenv.Missing(t, "a second CPU")
		}
		r := startRecord(t, "-C", "1", "-u", strconv.Itoa(otherUser), "-e", getppid)
		for cpu := range 2 {
			onCPU(t, cpu, func() { runOK(t, asOtherUser(count())) })
		}
		r.stopOK(t)
		checkWhole(t, r.path, 4*n)
		for _, h := range hits(t, r.path) {
			if h.CPU != 1 {
				t.Fatalf("a hit on CPU %d", h.CPU)
			}
		}
	})
	t.Run("process", func(t *testing.T) {
		// Two alike, of which one is recorded from its middle to its end.
		slow := func() *exec.Cmd {
			cmd := exec.Command(target, "-c", "p", "-t", "2", "-r", "1000", "1000000")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				cmd.Process.Kill()
				cmd.Wait()
			})
			return cmd
		}
		one, _ := slow(), slow()
		r := startRecord(t, "-p", strconv.Itoa(one.Process.Pid), "-e", getppid)
		time.Sleep(500 * time.Millisecond)
		one.Process.Kill() // nobody waits for it yet: record must see that it is gone all the same
		if code, messages := r.wait(t); code != 0 {
			t.Fatalf("exit code %d\n%s", code, messages)
		}
		path := r.path
		all := hits(t, path)
		checkWhole(t, path, len(all))
		threads := map[int]bool{}
		for _, h := range all {
			threads[h.TID] = true
			if h.PID != one.Process.Pid {
				t.Fatalf("a hit of process %d, want only %d", h.PID, one.Process.Pid)
			}
		}
		if len(threads) != 2 {
			t.Errorf("hits of %d threads, want 2", len(threads))
		}
	})
	t.Run("no children", func(t *testing.T) {
		path := recordOK(t, "-i", "-e", getppid, "--", target, "-c", "p", "-f", "2", strconv.Itoa(n))
		checkWhole(t, path, n)
	})
}

// onCPU runs f, and the processes that it starts, on one CPU.
func onCPU(t *testing.T, cpu int, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, only unix.CPUSet
	only.Set(cpu)
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		t.Fatal(err)
	}
	defer unix.SchedSetaffinity(0, &before)
	f()
}
