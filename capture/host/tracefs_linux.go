package host

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ErrNoTraceFS is why tracepoints cannot be found.
var ErrNoTraceFS = errors.New("tracefs is not mounted")

// TraceFS returns where tracefs is mounted. If it is mounted nowhere, it is
// mounted at its usual place, which needs root; mounted says so.
func TraceFS() (dir string, mounted bool, err error) {
	const usual = "/sys/kernel/tracing"
	for _, dir := range []string{usual, "/sys/kernel/debug/tracing"} {
		var st unix.Statfs_t
		if unix.Statfs(dir, &st) == nil && st.Type == unix.TRACEFS_MAGIC {
			return dir, false, nil
		}
	}
	if err := unix.Mount("tracefs", usual, "tracefs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		if IsDenied(err) {
			return "", false, fmt.Errorf("%w and mounting it needs root (mount -t tracefs tracefs %s)", ErrNoTraceFS, usual)
		}
		return "", false, fmt.Errorf("%w and cannot be mounted at %s: %w", ErrNoTraceFS, usual, err)
	}
	return usual, true, nil
}
