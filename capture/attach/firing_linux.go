package attach

import (
	"encoding/binary"
	"errors"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errSilentBreakpoints is why watchpoints are rejected on some virtual machines: the
// kernel sets hardware breakpoints, but the hypervisor never reports hits.
var errSilentBreakpoints = errors.New("this machine accepts hardware breakpoints but never fires them, as some virtual machines do")

// withoutBreakpoints is the advice for machines without hardware breakpoints.
const withoutBreakpoints = "record on another machine, or probe the code that uses the address with a uprobe or kprobe"

// watched is the word that the trial watches.
var watched uint64

// checkBreakpoints returns errSilentBreakpoints if a breakpoint on a word of this process
// can be set but does not fire when the word is written. It returns nil if no breakpoint
// can be set: opening the real one then reports why.
func checkBreakpoints() error {
	// The breakpoint belongs to the thread that opens it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_BREAKPOINT, Sample: 1,
		Size:    uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Bp_type: 2, // HW_BREAKPOINT_W in include/uapi/linux/hw_breakpoint.h
		Ext1:    uint64(uintptr(unsafe.Pointer(&watched))), Ext2: uint64(unsafe.Sizeof(watched))}
	const thisThread = 0
	fd, err := unix.PerfEventOpen(&attr, thisThread, anyCPU, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	for range 10 {
		atomic.AddUint64(&watched, 1)
	}
	var count [8]byte
	if _, err := unix.Read(fd, count[:]); err != nil || binary.NativeEndian.Uint64(count[:]) > 0 {
		return nil
	}
	return errSilentBreakpoints
}
