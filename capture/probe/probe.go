package probe

import (
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
)

// A Probe is one attach point.
type Probe struct {
	Kind     format.ProbeKind
	Name     string // the alias, or sched:sched_switch, kprobe:vfs_read, uprobe:libc.so.6:malloc, cpu-clock
	Event    string // Event.Text
	Group    string // tracepoint's group
	Function string // tracepoint, kernel function or symbol of the program; "" for a file offset
	Module   string // kernel module that Function is in; "" the core kernel
	Path     string // uprobes: the file to open, symbolic links resolved
	Offset   uint64 // kprobe: bytes from Function; uprobe: file offset of the instruction
	Address  uint64 // of Function in the kernel; 0: not known

	// Sites are the places of a probe that has several, or such as the fields above do
	// not describe; see Places.
	Sites []Site
	// AtReturns: the places are instructions that return, each to be probed as such,
	// since the program does not bear having return addresses replaced.
	AtReturns bool
	// Notes say what a user would not expect of the probe.
	Notes []string

	layout.Record // what is recorded of a hit besides its stacks

	// Entry is the file offset of the function's first instruction if AtReturns.
	Entry uint64

	Watch *Watch // of a watchpoint

	// PerfType, PerfConfig and Frequency (hits per second, 0 the default) open a
	// timed event: struct perf_event_attr.
	PerfType   uint32
	PerfConfig uint64
	Frequency  uint64
	PerfPeriod uint64 // events a hit, in the place of Frequency; 0 none

	Limits Limits
	Stack  event.StackChoice // which stacks its hits have
	Depth  int               // frames of each stack; 0: as many as the recording says
	Filter *layout.Filter    // nil: all hits are wanted
}

// A Site is one place that a probe is attached to.
type Site struct {
	Function   string         // kernel function, or symbol of the program
	Offset     uint64         // kernel: bytes from Function; user: file offset of the instruction
	Address    uint64         // of Function in the kernel; 0: not known
	RefCounter uint64         // file offset of the count that switches a USDT probe on; 0: none
	Fetch      []layout.Fetch // read here, one for each of Probe.Fetch
}

// Places returns where the probe is to be attached, one place at least.
func (p *Probe) Places() []Site {
	if len(p.Sites) > 0 {
		return p.Sites
	}
	return []Site{{Function: p.Function, Offset: p.Offset, Address: p.Address, Fetch: p.Fetch}}
}

// Limits say which of a probe's hits are kept. The rest is counted as sampled out.
type Limits struct {
	Every uint64 // one of so many, on each CPU; 0 or 1: all of them
	Rate  uint64 // hits a second, all CPUs together; 0: any
	Max   uint64 // hits in all; 0: any number
}

// Period is what a hit of the probe stands for.
func (p *Probe) Period() uint64 {
	if p.PerfPeriod > 0 {
		return p.PerfPeriod
	}
	return max(p.Limits.Every, 1)
}

// lowestKernelAddress divides the address space on all 64-bit machines.
const lowestKernelAddress = 1 << 63

// A Watch is what a watchpoint hits at.
type Watch struct {
	Address uint64
	Length  uint8 // bytes: 1, 2, 4 or 8
	Access  event.Access
}

// InKernel reports whether the address means the same in all processes.
func (w *Watch) InKernel() bool { return w.Address >= lowestKernelAddress }
