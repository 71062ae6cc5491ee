package capture

import (
	"trapline/capture/event"
	"trapline/capture/host"
)

// CheckPrivileges returns an [event.PermissionError] if the process may not record.
// Tracing programs require CAP_BPF and CAP_PERFMON (Linux 5.8) or CAP_SYS_ADMIN, which
// includes both.
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
