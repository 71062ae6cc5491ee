package probe

// A Backend is a way to have the kernel call a program. Package capture/attach has one
// function for each.
type Backend uint8

const (
	TracepointEvent Backend = iota + 1 // a perf event of the tracepoint, never enabled
	RawTracepoint                      // a link to a tracepoint with BTF
	Trampoline                         // a link to a function with BTF: fentry, fexit
	KprobeMulti                        // one link for all functions; Linux 5.18
	KprobeEvent                        // a perf event for each function
	UprobeMulti                        // one link for all places in a program; Linux 6.6
	UprobeEvent                        // a perf event for each place
	CounterEvent                       // a perf event on each CPU
	BreakpointEvent                    // a hardware breakpoint: on each CPU, or of each thread
)

var backendNames = [...]string{
	TracepointEvent: "perf event of the tracepoint",
	RawTracepoint:   "raw tracepoint link",
	Trampoline:      "BPF trampoline",
	KprobeMulti:     "kprobe.multi link",
	KprobeEvent:     "kprobe by a perf event",
	UprobeMulti:     "uprobe.multi link",
	UprobeEvent:     "uprobe by a perf event",
	CounterEvent:    "perf event of each CPU",
	BreakpointEvent: "hardware breakpoint",
}

// String returns the name that record --dry-run shows.
func (b Backend) String() string { return backendNames[b] }
