package capture

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"trapline/format"
)

// HostProperties describes this machine for the head of a capture.
func HostProperties() []format.Property {
	var u unix.Utsname
	unix.Uname(&u)
	cpus, _ := os.ReadFile("/sys/devices/system/cpu/online")
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return []format.Property{
		{Key: format.KeyHostname, Value: unix.ByteSliceToString(u.Nodename[:])},
		{Key: format.KeyKernel, Value: unix.ByteSliceToString(u.Release[:])},
		{Key: format.KeyKernelVer, Value: unix.ByteSliceToString(u.Version[:])},
		{Key: format.KeyArch, Value: runtime.GOARCH},
		{Key: format.KeyBootID, Value: strings.TrimSpace(string(boot))},
		{Key: format.KeyCPUs, Value: strings.TrimSpace(string(cpus))},
		{Key: format.KeyPageSize, Value: strconv.Itoa(os.Getpagesize())},
		{Key: format.KeyClock, Value: "monotonic"},
		{Key: format.KeyStarted, Value: time.Now().UTC().Format(time.RFC3339Nano)},
	}
}

func onlineCPUs() ([]int, error) { return readCPUList("/sys/devices/system/cpu/online") }

// possibleCPUs returns one more than the highest CPU that may ever come online: rings are entered by CPU.
func possibleCPUs() (int, error) {
	cpus, err := readCPUList("/sys/devices/system/cpu/possible")
	if err != nil {
		return 0, err
	}
	return cpus[len(cpus)-1] + 1, nil
}

// readCPUList reads a list such as 0-3,8 (Documentation/admin-guide/cputopology.rst).
func readCPUList(path string) ([]int, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var cpus []int
	for _, part := range strings.Split(strings.TrimSpace(string(b)), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || to < from || to > 1<<16 {
			return nil, fmt.Errorf("%s: no CPU list: %q", path, b)
		}
		for c := from; c <= to; c++ {
			cpus = append(cpus, c)
		}
	}
	if len(cpus) == 0 {
		return nil, fmt.Errorf("%s: no CPUs", path)
	}
	return cpus, nil
}

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
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			return "", false, fmt.Errorf("tracefs is not mounted and mounting it needs root (mount -t tracefs tracefs %s)", usual)
		}
		return "", false, fmt.Errorf("mount tracefs at %s: %w", usual, err)
	}
	return usual, true, nil
}
