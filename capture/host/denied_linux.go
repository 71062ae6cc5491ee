package host

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// LoadDenied says why the kernel refused, with EPERM or EACCES, to load a program,
// and what helps; remedy is "" if nothing is known to.
func LoadDenied() (reason, remedy string) {
	return denied([]Capability{CapBPF, CapPerfmon}, false)
}

// EventDenied does so for a perf event or a link that needs the capabilities.
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
		return "the process is in a user namespace, where its capabilities do not count for the kernel", "run it outside of the container"
	case mode == "confidentiality":
		return "the kernel is locked down (" + mode + ")", "boot with lockdown=integrity, or without Secure Boot"
	case event && err == nil && level > 2 && !Have(CapSysAdmin):
		// Levels above 2 are additions of distributions, which ask for CAP_SYS_ADMIN.
		return "kernel.perf_event_paranoid is " + paranoid + ", which keeps perf events for CAP_SYS_ADMIN", "run it as root, or sysctl kernel.perf_event_paranoid=2"
	case machine.seccomp():
		return "a seccomp filter forbids it, as usual in containers", "run the container privileged, or with --security-opt seccomp=unconfined"
	}
	return "the kernel does not permit it", ""
}

// restrictions names what besides capabilities may forbid things here.
func restrictions() string {
	var list []string
	if InUserNamespace() {
		list = append(list, "in a user namespace: capabilities do not count for the kernel")
	}
	if machine.seccomp() {
		list = append(list, "under a seccomp filter")
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, "; ")
}

// IsDenied reports whether the kernel refused for want of a privilege: EPERM or EACCES.
func IsDenied(err error) bool { return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) }
