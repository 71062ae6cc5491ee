package testenv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// Root requires effective user 0 and the right to load BPF programs: CAP_BPF and
// CAP_PERFMON, or CAP_SYS_ADMIN. go test -short skips such tests.
func Root(t testing.TB) {
	t.Helper()
	Slow(t)
	err := features.HaveProgramType(ebpf.TracePoint)
	switch root := os.Geteuid() == 0; {
	case root && err == nil:
	case InVM():
		t.Fatalf("no BPF programs can be loaded in the virtual machine: %v", err)
	case root:
		Missing(t, fmt.Sprintf("the right to load BPF programs (%v)", err))
	default:
		Missing(t, "root")
	}
}

// BTF requires the kernel's type information.
func BTF(t testing.TB) {
	t.Helper()
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		KernelLacks(t, "BTF (CONFIG_DEBUG_INFO_BTF)")
	}
}

// Kprobes requires kprobes and kretprobes.
func Kprobes(t testing.TB) {
	t.Helper()
	Root(t)
	if !HaveKprobes() {
		KernelLacks(t, "kprobes (CONFIG_KPROBES)")
	}
}

// HaveKprobes reports whether the kernel has kprobes. If it does, their event source
// exists since Linux 4.17.
func HaveKprobes() bool {
	_, err := os.Stat("/sys/bus/event_source/devices/kprobe")
	return err == nil
}

// Fentry requires fentry and fexit programs.
func Fentry(t testing.TB) {
	t.Helper()
	Root(t)
	BTF(t)
	if err := features.HaveProgramType(ebpf.Tracing); err != nil {
		KernelLacks(t, fmt.Sprintf("fentry (%v)", err))
	}
}

// HardwareCounters requires a performance monitoring unit, which emulated machines lack.
func HardwareCounters(t testing.TB) {
	t.Helper()
	if _, err := os.Stat("/sys/bus/event_source/devices/cpu"); err != nil {
		Unsupported(t, "hardware counters")
	}
}

// Breakpoints requires hardware breakpoints that fire. Some virtual machines accept
// breakpoints and never report a hit.
func Breakpoints(t testing.TB) {
	t.Helper()
	Root(t)
	if !HaveBreakpoints(t) {
		KernelLacks(t, "hardware breakpoints that fire")
	}
}

var breakpointWord uint64

// HaveBreakpoints reports whether a hardware breakpoint on a word of this process
// fires when the word is written.
func HaveBreakpoints(t testing.TB) bool {
	t.Helper()
	runtime.LockOSThread() // the breakpoint belongs to this thread
	defer runtime.UnlockOSThread()
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_BREAKPOINT, Bp_type: 2, // HW_BREAKPOINT_W
		Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Ext1: uint64(uintptr(unsafe.Pointer(&breakpointWord))), Ext2: uint64(unsafe.Sizeof(breakpointWord))}
	fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EOPNOTSUPP) {
		return false // the errors of perf_event_open(2) for unsupported events
	}
	if err != nil {
		t.Fatalf("opening a breakpoint: %v", err)
	}
	defer unix.Close(fd)
	atomic.AddUint64(&breakpointWord, 1)
	var count [8]byte
	if _, err := unix.Read(fd, count[:]); err != nil {
		t.Fatalf("reading the count of a breakpoint: %v", err)
	}
	return binary.NativeEndian.Uint64(count[:]) > 0
}

// KernelLacks skips the test because the kernel lacks a feature. In virtual machines it
// fails the test.
func KernelLacks(t testing.TB, what string) {
	t.Helper()
	if InVM() {
		t.Fatalf("needs %s, which %s should have", what, kernel())
	}
	leaveOut(t, coveredInVM, what+" on the kernel of this machine")
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "this kernel"
	}
	return "Linux " + strings.TrimRight(string(u.Release[:]), "\x00")
}
