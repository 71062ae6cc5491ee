package testenv

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// Root needs a process that may load BPF programs: effective user 0 with
// CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "root")
	}
	if err := features.HaveProgramType(ebpf.TracePoint); err != nil {
		Missing(t, fmt.Sprintf("the right to load BPF programs (%v)", err))
	}
}

// BTF needs the kernel's type information.
func BTF(t testing.TB) {
	t.Helper()
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		Missing(t, "kernel BTF (CONFIG_DEBUG_INFO_BTF)")
	}
}

// Kprobes needs kprobes and kretprobes.
func Kprobes(t testing.TB) {
	t.Helper()
	Root(t)
	if !HaveKprobes() {
		missingFeature(t, "kprobes (CONFIG_KPROBES)")
	}
}

// HaveKprobes reports whether the kernel has kprobes: their event source exists
// since Linux 4.17, if they do.
func HaveKprobes() bool {
	_, err := os.Stat("/sys/bus/event_source/devices/kprobe")
	return err == nil
}

// Fentry needs BPF programs at function entry and exit.
func Fentry(t testing.TB) {
	t.Helper()
	Root(t)
	BTF(t)
	if err := features.HaveProgramType(ebpf.Tracing); err != nil {
		missingFeature(t, fmt.Sprintf("fentry (%v)", err))
	}
}

// HardwareCounters needs a performance monitoring unit, which emulated machines
// lack: leaving the test out is never a failure.
func HardwareCounters(t testing.TB) {
	t.Helper()
	if _, err := os.Stat("/sys/bus/event_source/devices/cpu"); err != nil {
		leaveOut(t, uncovered, "hardware counters")
	}
}

// missingFeature does so for features that only the virtual machines must have.
func missingFeature(t testing.TB, what string) {
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
