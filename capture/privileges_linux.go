package capture

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"trapline/capture/machine"
	"trapline/capture/probe"
)

// CheckPrivileges reports as a probe.PermissionError which capabilities the process
// lacks for recording. BPF programs of the tracing kinds need CAP_BPF and
// CAP_PERFMON (5.8), or CAP_SYS_ADMIN, which includes both.
func CheckPrivileges() error {
	if missing := machine.Missing(machine.BPF, machine.Perfmon); len(missing) > 0 {
		return &probe.PermissionError{What: "recording", Need: "root, or " + machine.Join(missing)}
	}
	if machine.InUserNamespace() {
		reason, remedy := machine.LoadDenied()
		return &probe.PermissionError{What: "recording", Reason: reason, Remedy: remedy}
	}
	return nil
}

// InPIDNamespace reports whether this process numbers tasks otherwise than the
// kernel does, which is how programs see them. The initial namespace's inode is
// PROC_PID_INIT_INO in include/linux/proc_ns.h.
func InPIDNamespace() bool {
	link, err := os.Readlink("/proc/self/ns/pid")
	return err == nil && link != "pid:[4026531836]"
}

// HaveCycles reports whether this machine has a cycle counter; virtual ones often do not.
func HaveCycles() bool {
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_HARDWARE, Config: unix.PERF_COUNT_HW_CPU_CYCLES}
	attr.Size = uint32(unsafe.Sizeof(attr))
	fd, err := unix.PerfEventOpen(&attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}
