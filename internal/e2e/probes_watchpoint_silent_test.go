//go:build linux

package e2e

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

// Some virtual machines accept hardware breakpoints but never fire them. record detects
// that and refuses watchpoints instead of recording nothing.
func TestSilentBreakpoints(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const reason = "accepts hardware breakpoints but never fires them"
	if answer := info(t, withSilentBreakpoints(t, command(t, "record"), "--info"))["watchpoint"]; !strings.Contains(answer, reason) {
		t.Errorf("record --info answers %q for watchpoints, want %q", answer, reason)
	}
	for _, address := range []string{"0x4c1230", "0xffffffff81000000"} {
		event := "watchpoint:" + address + ":8:w"
		r := run(t, withSilentBreakpoints(t, command(t, "record"), "-o", "/dev/null", "-e", event, "--", "true"))
		for _, part := range []string{event, reason, "another machine"} {
			if r.code != 2 || !strings.Contains(r.stderr, part) {
				t.Errorf("%s: exit code %d, want 2 and %q\n%s", event, r.code, part, r.stderr)
			}
		}
	}
}

// withSilentBreakpoints returns a command whose hardware breakpoints never fire. The
// command is this test binary: it installs a seccomp filter, hands the filter's listener
// to the test and then executes the program.
func withSilentBreakpoints(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	number, child, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	proceed, parent, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{program}, args...)...)
	cmd.Env = append(os.Environ(), actAs+"=silentBreakpoints")
	cmd.ExtraFiles = []*os.File{child, proceed}
	t.Cleanup(func() { number.Close(); proceed.Close() })
	go func() {
		defer parent.Close()
		line, err := bufio.NewReader(number).ReadString('\n')
		if err != nil {
			return
		}
		pid, fd, _ := strings.Cut(strings.TrimSpace(line), " ")
		if err := answerBreakpoints(pid, fd, parent); err != nil {
			t.Error(err)
		}
	}()
	return cmd
}

// execWithSilentBreakpoints executes the program in the arguments under the filter.
func execWithSilentBreakpoints() error {
	runtime.LockOSThread() // the filter belongs to this thread
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the system call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_PERF_EVENT_OPEN},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	fmt.Fprintln(os.NewFile(3, "number"), os.Getpid(), fd)
	unix.Read(4, make([]byte, 1))
	return unix.Exec(os.Args[1], os.Args[1:], os.Environ())
}

// answerBreakpoints takes the listener from the process, lets the process proceed and
// answers its perf_event_open calls until it exits.
func answerBreakpoints(pid, fd string, proceed *os.File) error {
	listener, err := takeFD(pid, fd)
	if err != nil {
		return err
	}
	defer unix.Close(listener)
	proceed.Close()
	for {
		ready := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, -1); err != nil && err != unix.EINTR {
			return err
		}
		if ready[0].Revents&unix.POLLIN != 0 {
			if err := answerPerfEventOpen(listener); err != nil {
				return err
			}
		} else if ready[0].Revents&unix.POLLHUP != 0 {
			return nil // all processes with the filter have exited
		}
	}
}

// takeFD duplicates a descriptor of another process.
func takeFD(pid, fd string) (int, error) {
	pidNumber, err := strconv.Atoi(pid)
	if err != nil {
		return 0, err
	}
	fdNumber, err := strconv.Atoi(fd)
	if err != nil {
		return 0, err
	}
	process, err := unix.PidfdOpen(pidNumber, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(process)
	return unix.PidfdGetfd(process, fdNumber, 0)
}

// answerPerfEventOpen answers one call. For a breakpoint it returns a software event that
// never counts; it passes everything else to the kernel. The structures are defined in
// include/uapi/linux/seccomp.h.
func answerPerfEventOpen(listener int) error {
	var call struct {
		id         uint64
		pid, flags uint32
		nr         int32
		arch       uint32
		ip         uint64
		args       [6]uint64
	}
	if err := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&call)); err != nil {
		if err == unix.ENOENT {
			return nil // the caller was killed meanwhile
		}
		return fmt.Errorf("receiving a system call: %w", err)
	}
	var typ [4]byte // the first field of struct perf_event_attr
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", call.pid))
	if err != nil {
		return err
	}
	defer memory.Close()
	if _, err := memory.ReadAt(typ[:], int64(call.args[0])); err != nil {
		return err
	}
	if binary.NativeEndian.Uint32(typ[:]) != unix.PERF_TYPE_BREAKPOINT {
		response := struct {
			id         uint64
			val        int64
			err, flags int32
		}{id: call.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		return ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&response))
	}
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_DUMMY, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{}))}
	silent, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(silent)
	add := struct {
		id                        uint64
		flags, from, to, newFlags uint32
	}{id: call.id, flags: unix.SECCOMP_ADDFD_FLAG_SEND, from: uint32(silent), newFlags: unix.O_CLOEXEC}
	return ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&add))
}

func ioctl(fd int, request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}
