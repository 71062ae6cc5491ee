package attach

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// An attachedEvent is an open perf event and the link of a program to it.
type attachedEvent struct {
	fd   int // -1 if not open
	link link.Link
}

// Arguments of openEvent: all tasks on a CPU, or all CPUs for a task.
const (
	anyTask = -1
	anyCPU  = -1
)

// openEvent opens a perf event for a thread on a CPU and attaches a program to it. The
// caller must close the result, even after an error.
func openEvent(program *ebpf.Program, attr *unix.PerfEventAttr, tid, cpu int, cookie uint64) (attachedEvent, error) {
	attr.Size = uint32(unsafe.Sizeof(*attr))
	fd, err := unix.PerfEventOpen(attr, tid, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return attachedEvent{fd: -1}, fmt.Errorf("perf_event_open: %w", err)
	}
	l, err := linkEvent(fd, program, cookie)
	if err != nil {
		return attachedEvent{fd: fd}, fmt.Errorf("attach to the perf event: %w", err)
	}
	return attachedEvent{fd, l}, nil
}

// linkEvent attaches a program to a perf event with a cookie. Requires Linux 5.15. The
// ebpf library does this only for events that it opens itself.
func linkEvent(fd int, program *ebpf.Program, cookie uint64) (link.Link, error) {
	attr := struct { // link_create of union bpf_attr in include/uapi/linux/bpf.h
		program, target, attachType, flags uint32
		cookie                             uint64
	}{uint32(program.FD()), uint32(fd), unix.BPF_PERF_EVENT, 0, cookie}
	l, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_LINK_CREATE, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(program)
	if errno != 0 {
		return nil, errno
	}
	return link.NewFromFD(int(l))
}
