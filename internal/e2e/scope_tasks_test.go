//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

const getppid = "syscalls:sys_enter_getppid"

// otherUser is a user without a name and without processes.
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

// countCalls is the number of calls that a thread of countTwice makes.
const countCalls = 1000

// countTwice returns a command of two processes with two threads each.
func countTwice(t *testing.T) *exec.Cmd {
	t.Helper()
	return exec.Command(testenv.Target(t, "counter-static"), "-c", "p", "-t", "2", "-f", "1", strconv.Itoa(countCalls))
}

func TestScopeOfAUser(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	r := startRecord(t, "-a", "-u", strconv.Itoa(otherUser), "-e", getppid)
	runOK(t, countTwice(t))
	runOK(t, asOtherUser(countTwice(t)))
	r.stopOK(t)
	checkWhole(t, r.path, 4*countCalls)
}

func TestScopeOfACPU(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	cpus := usableCPUs(t)
	if len(cpus) < 2 {
		testenv.Unsupported(t, "a second CPU")
	}
	recorded := cpus[len(cpus)-1]
	r := startRecord(t, "-C", strconv.Itoa(recorded), "-u", strconv.Itoa(otherUser), "-e", getppid)
	for _, cpu := range []int{cpus[0], recorded} {
		onCPU(t, cpu, func() { runOK(t, asOtherUser(countTwice(t))) })
	}
	r.stopOK(t)
	checkWhole(t, r.path, 4*countCalls)
	for _, h := range hits(t, r.path) {
		if h.CPU != recorded {
			t.Fatalf("a hit on CPU %d, want only CPU %d", h.CPU, recorded)
		}
	}
}

// One of two identical processes is recorded until it exits.
func TestScopeOfAProcess(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	slow := func() *os.Process {
		cmd := exec.Command(testenv.Target(t, "counter-static"), "-c", "p", "-t", "2", "-r", "1000", "1000000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
		return cmd.Process
	}
	one, _ := slow(), slow()
	r := startRecord(t, "-p", strconv.Itoa(one.Pid), "-e", getppid)
	r.hasHits(t, "hit of each thread", func(all []hit) bool { return len(threadsOf(all)) == 2 })
	one.Kill() // it becomes a zombie: record must notice the exit all the same
	if code, messages := r.wait(t); code != 0 {
		t.Fatalf("exit code %d\n%s", code, messages)
	}
	all := hits(t, r.path)
	checkWhole(t, r.path, len(all))
	for _, h := range all {
		if h.PID != one.Pid {
			t.Fatalf("a hit of process %d, want only %d", h.PID, one.Pid)
		}
	}
	if n := len(threadsOf(all)); n != 2 {
		t.Errorf("hits of %d threads, want 2", n)
	}
}

func TestScopeWithoutChildren(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	path := recordOK(t, "-i", "-e", getppid, "--", testenv.Target(t, "counter-static"), "-c", "p", "-f", "2", strconv.Itoa(countCalls))
	checkWhole(t, path, countCalls)
}

// threadsOf counts the hits of each thread.
func threadsOf(all []hit) map[int]int {
	threads := map[int]int{}
	for _, h := range all {
		threads[h.TID]++
	}
	return threads
}

// usableCPUs returns the CPUs that the test may run on.
func usableCPUs(t testing.TB) (cpus []int) {
	t.Helper()
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	for cpu := range 8 * int(unsafe.Sizeof(set)) {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// onCPU runs f, and the processes that f starts, on one CPU.
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
