package capture

import (
	"trapline/capture/event"
	"trapline/capture/host"
)

// CheckPrivileges reports as a event.PermissionError which capabilities the process
// lacks for recording. BPF programs of the tracing kinds need CAP_BPF and
// CAP_PERFMON (5.8), or CAP_SYS_ADMIN, which includes both.
func CheckPrivileges() error {
	if missing := host.Missing(host.CapBPF, host.CapPerfmon); len(missing) > 0 {
		return &event.PermissionError{What: "recording", Need: "root, or " + host.Join(missing)}
	}
	if host.InUserNamespace() {
		reason, remedy := host.LoadDenied()
		return &event.PermissionError{What: "recording", Reason: reason, Remedy: remedy}
	}
	return nil
}
