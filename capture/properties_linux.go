package capture

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"trapline/format"
)

// HostProperties describes this machine for the header of a capture.
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
