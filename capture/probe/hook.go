package probe

import (
	"fmt"

	"trapline/format"
)

// A Hook is what to know of a kind of probe before choosing it.
type Hook struct {
	What      string // what is probed
	Stability string // whether it will be there tomorrow, with the same meaning
	// Cost is what a hit takes without stacks, in ns: the medians of docs/benchmarks.md,
	// of one machine. 0: not measured.
	Cost int
}

const functionsChange = "not stable: functions are renamed, inlined and changed from one kernel to the next"

var hooks = map[format.ProbeKind]Hook{
	format.ProbeTracepoint:    {"static tracepoint", "stable: names and fields are kept from one kernel to the next, with few exceptions", 88},
	format.ProbeRawTracepoint: {"static tracepoint, with the kernel's own arguments", "its name is stable, the arguments and their types are the kernel's own", 88},
	format.ProbeKprobe:        {"kernel function, or an instruction in it", functionsChange, 0},
	format.ProbeKretprobe:     {"return of a kernel function", functionsChange, 0},
	format.ProbeFentry:        {"kernel function", functionsChange, 0},
	format.ProbeFexit:         {"return of a kernel function", functionsChange, 0},
	format.ProbeUprobe:        {"function of a program, or an instruction in it", "as stable as the program: what a library exports is, what is its own is not", 632},
	format.ProbeUretprobe:     {"return of a program's function", "as stable as the program: what a library exports is, what is its own is not", 795},
	format.ProbeUSDT:          {"static probe of a program", "stable: put there by the program's authors to be kept", 600},
	format.ProbeWatchpoint:    {"access to an address", "good for this process only: addresses change from run to run", 0},
	format.ProbeTimed:         {"sample", "stable", 0},
}

// HookOf describes a kind of probe.
func HookOf(k format.ProbeKind) Hook { return hooks[k] }

// String returns the description in one line.
func (h Hook) String() string {
	s := h.What + "; " + h.Stability
	if h.Cost > 0 {
		s += fmt.Sprintf("; a hit costs about %d ns, stacks not counted", h.Cost)
	}
	return s
}
