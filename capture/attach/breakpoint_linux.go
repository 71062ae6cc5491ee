package attach

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"trapline/capture/event"
	"trapline/capture/probe"
)

// breakpointTypes maps accesses to HW_BREAKPOINT_* in include/uapi/linux/hw_breakpoint.h.
var breakpointTypes = map[event.Access]uint32{event.AccessRead: 1, event.AccessWrite: 2, event.AccessExecute: 4}

var errNoWatchedProcess = errors.New("a user address belongs to one process")

// attachBreakpoints watches an address: a kernel address on all CPUs, a user address in
// each thread of the recorded processes and in their children.
func attachBreakpoints(t *target, l *links) error {
	if err := checkBreakpoints(); err != nil {
		return err
	}
	if t.probe.Watch.InKernel() {
		for _, cpu := range t.cpus {
			if err := watch(t, l, anyTask, cpu, false); err != nil {
				return err
			}
		}
		return nil
	}
	tids, err := t.scope.threads()
	if err != nil {
		return err
	}
	if len(tids) == 0 {
		return errNoWatchedProcess
	}
	for _, tid := range tids {
		if err := watch(t, l, tid, anyCPU, !t.scope.NoInherit); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}

// watch sets the breakpoint for a thread or on a CPU.
func watch(t *target, l *links, tid, cpu int, inherit bool) error {
	w := t.probe.Watch
	attr := unix.PerfEventAttr{Type: t.probe.PerfType, Sample: 1, Ext1: w.Address, Ext2: uint64(w.Length)}
	for access, bit := range breakpointTypes {
		if w.Access&access != 0 {
			attr.Bp_type |= bit
		}
	}
	if inherit {
		attr.Bits |= unix.PerfBitInherit
	}
	e, err := openEvent(t.program, &attr, tid, cpu, 0)
	l.keep(e)
	return err
}

// threads returns the threads of the scope's PIDs and TIDs.
func (s *Scope) threads() ([]int, error) {
	var tids []int
	for _, tid := range s.TIDs {
		tids = append(tids, int(tid))
	}
	for _, pid := range s.PIDs {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if tid, err := strconv.Atoi(e.Name()); err == nil {
				tids = append(tids, tid)
			}
		}
	}
	return tids, nil
}

// explainBreakpoint explains why an address cannot be watched.
func explainBreakpoint(p *probe.Probe, err error) error {
	e := &event.UnsupportedError{Event: p.Event, Reason: fmt.Sprintf("the kernel refuses to watch this address: %v", err)}
	switch {
	case errors.Is(err, errNoWatchedProcess):
		e.Reason, e.Remedy = err.Error(), "give the process (-p) or a command"
	case errors.Is(err, errSilentBreakpoints):
		e.Reason, e.Remedy = err.Error(), withoutBreakpoints
	case errors.Is(err, unix.ENOSPC):
		e.Reason, e.Remedy = "all breakpoints of the processor are in use (x86 has 4)", "watch fewer addresses, or stop other users such as debuggers"
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.EOPNOTSUPP):
		e.Reason = "this machine has no hardware breakpoints; some virtual machines lack them"
	}
	return e
}
