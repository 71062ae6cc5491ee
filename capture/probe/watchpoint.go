package probe

import (
	"fmt"
	"runtime"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
)

func init() {
	Register(&Kind{
		Syntax:    event.Syntax{Kind: format.ProbeWatchpoint, Spellings: []string{"watchpoint", "w"}, Form: event.FormWatchpoint, Arguments: true, Registers: true},
		What:      "access to an address",
		Stability: "valid for this process only: addresses change from run to run",

		Program:  bpf.HooksProgOnTimed,
		Backends: []Backend{BreakpointEvent},
		Needs:    []Need{{Name: "watchpoint", Backend: BreakpointEvent, Config: []string{"CONFIG_HAVE_HW_BREAKPOINT"}, Source: "breakpoint"}},

		Resolve: (*Resolver).resolveWatchpoint,
	})
}

// perfTypeBreakpoint is PERF_TYPE_BREAKPOINT in include/uapi/linux/perf_event.h.
const perfTypeBreakpoint = 5

// resolveWatchpoint checks what the processor can watch: hw_breakpoint_arch_parse in
// arch/x86/kernel/hw_breakpoint.c.
func (r *Resolver) resolveWatchpoint(ev *event.Event) ([]Probe, error) {
	w := &Watch{Address: ev.Offset, Length: ev.Length, Access: ev.Access}
	if runtime.GOARCH == "amd64" {
		switch {
		case w.Access == event.AccessRead:
			return nil, &event.UnsupportedError{Event: ev.Text, Reason: "x86 cannot watch reads alone", Remedy: "use rw"}
		case w.Access&event.AccessExecute != 0 && w.Access != event.AccessExecute:
			return nil, &event.UnsupportedError{Event: ev.Text, Reason: "x86 watches execution or data, not both", Remedy: "use two watchpoints"}
		case w.Access == event.AccessExecute && w.Length != 8:
			return nil, &event.InvalidError{Event: ev.Text, Reason: "execution must be watched with a length of 8"}
		}
	}
	if w.Access != event.AccessExecute && w.Address%uint64(w.Length) != 0 {
		return nil, &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("0x%x is not a multiple of the length, %d", w.Address, w.Length)}
	}
	return []Probe{{Kind: format.ProbeWatchpoint, Name: fmt.Sprintf("watchpoint:0x%x:%d:%s", w.Address, w.Length, w.Access),
		PerfType: perfTypeBreakpoint, Watch: w, Record: layout.Record{RecordSize: layout.CommonSize}}}, nil
}
