package host

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ErrNoTraceFS means that tracepoints cannot be found.
var ErrNoTraceFS = errors.New("tracefs is not mounted")

// TraceFS returns the mount point of tracefs. If it is not mounted, TraceFS mounts it at
// /sys/kernel/tracing, which requires root. mounted reports that.
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
			return "", false, fmt.Errorf("%w, and mounting it requires root (mount -t tracefs tracefs %s)", ErrNoTraceFS, usual)
		}
		return "", false, fmt.Errorf("%w and cannot be mounted at %s: %w", ErrNoTraceFS, usual, err)
	}
	return usual, true, nil
}
