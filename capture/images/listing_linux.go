package images

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"trapline/capture/locate"
)

// clockTick is the resolution of times in /proc, in ns: USER_HZ is 100 on all
// architectures that trapline supports.
const clockTick uint64 = 1e9 / 100

// A listing is what /proc showed of the process under a PID.
type listing struct {
	maps  []locate.Mapping // empty if the process had ended
	start uint64           // ns, CLOCK_BOOTTIME: the process was born before
}

// list reads the mappings of the process that has a PID now.
func list(pid uint32) listing {
	before := startTime(pid)
	l := listing{maps: ProcessMaps(pid), start: startTime(pid)}
	if before != l.start { // the PID changed hands meanwhile
		return listing{}
	}
	return l
}

// startTime returns when the process that has a PID now was born at the latest, in ns of
// CLOCK_BOOTTIME: field 22 of /proc/PID/stat, rounded up.
func startTime(pid uint32) uint64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return math.MaxUint64
	}
	// The name of the task, in parentheses, may contain anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const field = 22 - 3 // the state is field 3
	if len(fields) <= field {
		return math.MaxUint64
	}
	ticks, err := strconv.ParseUint(string(fields[field]), 10, 64)
	if err != nil {
		return math.MaxUint64
	}
	return (ticks + 1) * clockTick
}

// bootClockLead returns by how many ns CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC. It
// grows when the machine is suspended.
func bootClockLead() uint64 {
	var boot, mono unix.Timespec
	// In this order, the result is never too large.
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono) != nil {
		return 0
	}
	return uint64(max(boot.Nano()-mono.Nano(), 0))
}
