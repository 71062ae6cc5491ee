package host

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// LoadDenied explains why the kernel refused to load a program with EPERM or EACCES.
// remedy is "" if none is known.
func LoadDenied() (reason, remedy string) {
	return denied([]Capability{CapBPF, CapPerfmon}, false)
}

// EventDenied is like LoadDenied for a perf event or a link that requires capabilities.
func EventDenied(need ...Capability) (reason, remedy string) {
	return denied(need, slices.Contains(need, CapPerfmon))
}

func denied(need []Capability, event bool) (reason, remedy string) {
	if missing := Missing(need...); len(missing) > 0 {
		return "the process lacks " + Join(missing), "run it as root or with " + Join(missing)
	}
	paranoid := machine.setting("/proc/sys/kernel/perf_event_paranoid")
	level, err := strconv.Atoi(paranoid)
	switch mode := Lockdown(); {
	case InUserNamespace():
		return "the process is in a user namespace, so the kernel ignores its capabilities", "run it outside the container"
	case mode == "confidentiality":
		return "the kernel is locked down (" + mode + ")", "boot with lockdown=integrity, or without Secure Boot"
	case event && err == nil && level > 2 && !Have(CapSysAdmin):
		// Distributions add levels above 2, which require CAP_SYS_ADMIN.
		return "kernel.perf_event_paranoid is " + paranoid + ", which reserves perf events for CAP_SYS_ADMIN", "run it as root, or sysctl kernel.perf_event_paranoid=2"
	case machine.seccomp():
		return "a seccomp filter blocks it, as is usual in containers", "run the container privileged, or with --security-opt seccomp=unconfined"
	}
	return "the kernel does not allow it", ""
}

// restrictions describes what restricts the process besides missing capabilities.
func restrictions() string {
	var list []string
	if InUserNamespace() {
		list = append(list, "in a user namespace: the kernel ignores capabilities")
	}
	if machine.seccomp() {
		list = append(list, "under a seccomp filter")
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, "; ")
}

// IsDenied reports whether an error means a missing privilege: EPERM or EACCES.
func IsDenied(err error) bool { return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) }
