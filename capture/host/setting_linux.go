package host

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// OlderThan reports whether the kernel is older than a release such as 6.6.
func OlderThan(since string) bool { return releaseOlderThan(release(), since) }

func releaseOlderThan(release, since string) bool {
	var major, minor, wantMajor, wantMinor int
	if _, err := fmt.Sscanf(since, "%d.%d", &wantMajor, &wantMinor); err != nil {
		return false
	}
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major < wantMajor || major == wantMajor && minor < wantMinor
}

// MaxSampleRate returns the number of samples per second that the kernel allows a perf
// event, or 0 if it is unknown. The kernel lowers it when samples of hardware counters
// take too long.
func MaxSampleRate() uint64 { return machine.maxSampleRate() }

func (r root) maxSampleRate() uint64 {
	n, err := strconv.ParseUint(r.setting("/proc/sys/kernel/perf_event_max_sample_rate"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Lockdown returns the lockdown mode: none, integrity or confidentiality, or "" if the
// kernel does not report it.
func Lockdown() string { return machine.lockdown() }

func (r root) lockdown() string {
	// "none [integrity] confidentiality"
	_, after, _ := strings.Cut(r.setting("/sys/kernel/security/lockdown"), "[")
	mode, _, _ := strings.Cut(after, "]")
	return mode
}

// seccomp reports whether a seccomp filter is active, as in most containers.
func (r root) seccomp() bool {
	f, err := os.Open(r.path("/proc/self/status"))
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if mode, ok := strings.CutPrefix(lines.Text(), "Seccomp:"); ok {
			return strings.TrimSpace(mode) == "2" // SECCOMP_MODE_FILTER
		}
	}
	return false
}
