package attach

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/probe"
)

// Types of breakpoints, from include/uapi/linux/hw_breakpoint.h.
const (
	breakpointRead    = 1
	breakpointWrite   = 2
	breakpointExecute = 4
)

var errNoWatchedProcess = errors.New("an address of a program belongs to one process")

// openWatchpoint watches an address: in the kernel on all CPUs, in a program in each
// thread of the processes recorded, and in what they start.
func (a *Attachment) openWatchpoint(scope *Scope, cpus []int) error {
	if err := host.CheckBreakpoints(); err != nil {
		return err
	}
	w := a.Group.probe.Watch
	if w.InKernel() {
		for _, cpu := range cpus {
			if err := a.watch(w, -1, cpu, false); err != nil {
				return err
			}
		}
		return nil
	}
	tids, err := scope.threads()
	if err != nil {
		return err
	}
	if len(tids) == 0 {
		return errNoWatchedProcess
	}
	for _, tid := range tids {
		if err := a.watch(w, tid, -1, !scope.NoInherit); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}

func (a *Attachment) watch(w *probe.Watch, tid, cpu int, inherit bool) error {
	attr := unix.PerfEventAttr{Type: a.Group.probe.PerfType, Sample: 1, Ext1: w.Address, Ext2: uint64(w.Length)}
	for access, bit := range map[event.Access]uint32{event.AccessRead: breakpointRead, event.AccessWrite: breakpointWrite, event.AccessExecute: breakpointExecute} {
		if w.Access&access != 0 {
			attr.Bp_type |= bit
		}
	}
	if inherit {
		attr.Bits |= unix.PerfBitInherit
	}
	o, err := a.openPerfOf(&attr, tid, cpu, 0)
	a.keep(o)
	return err
}

// explainWatchpoint says why an address cannot be watched.
func explainWatchpoint(pr *probe.Probe, err error) error {
	e := &event.UnsupportedError{Event: pr.Event, Reason: fmt.Sprintf("the kernel refuses to watch this address: %v", err)}
	switch {
	case errors.Is(err, errNoWatchedProcess):
		e.Reason, e.Remedy = err.Error(), "give the process (-p) or a command"
	case errors.Is(err, host.ErrSilentBreakpoints):
		e.Reason, e.Remedy = err.Error(), host.WithoutBreakpoints
	case errors.Is(err, unix.ENOSPC):
		e.Reason, e.Remedy = "all breakpoints of the processor are in use (x86 has 4)", "watch fewer addresses, or end what else watches, such as a debugger"
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.EOPNOTSUPP):
		e.Reason = "this machine has no hardware breakpoints, as some virtual machines"
	}
	return e
}
