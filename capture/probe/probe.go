package probe

import (
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
)

// A Probe is an attach point, or several that belong together.
type Probe struct {
	Kind     format.ProbeKind
	Name     string // the alias, or sched:sched_switch, kprobe:vfs_read, uprobe:libc.so.6:malloc, cpu-clock
	Event    string // Event.Text
	Group    string // tracepoint's group
	Function string // tracepoint, kernel function or program symbol; "" for a file offset
	Module   string // kernel module of Function; "" for the core kernel
	Path     string // uprobes: the file to open, with symbolic links resolved
	Offset   uint64 // kprobe: bytes from Function; uprobe: file offset of the instruction
	Address  uint64 // kernel address of Function; 0 if not known

	// Sites are the sites of a probe with several sites, or with one that the fields
	// above cannot describe. See AllSites.
	Sites []Site
	// AtReturns means that the sites are return instructions, each probed like any
	// instruction: the program does not tolerate replaced return addresses.
	AtReturns bool
	// Notes tell the user about unexpected properties of the probe.
	Notes []string

	layout.Record // what is recorded of a hit besides its stacks

	// Entry is the file offset of the function's first instruction, if AtReturns.
	Entry uint64

	Watch *Watch // watchpoints

	// PerfType, PerfConfig and Frequency describe the perf event of a timed probe: struct
	// perf_event_attr. Frequency is in hits per second; 0 means the default.
	PerfType   uint32
	PerfConfig uint64
	Frequency  uint64
	PerfPeriod uint64 // events per hit, instead of Frequency; 0 means none

	Limits Limits
	Stack  event.StackChoice // which stacks to record
	Depth  int               // maximum frames per stack; 0 means the limit of the recording
	Filter *layout.Filter    // nil records all hits
}

// A Site is one place that a probe is attached to.
type Site struct {
	Function   string         // kernel function or program symbol
	Offset     uint64         // kernel: bytes from Function; user: file offset of the instruction
	Address    uint64         // kernel address of Function; 0 if not known
	RefCounter uint64         // file offset of the counter that enables a USDT probe; 0 means none
	Fetch      []layout.Fetch // what to fetch here; corresponds to Probe.Fetch
}

// AllSites returns the sites of the probe, at least one.
func (p *Probe) AllSites() []Site {
	if len(p.Sites) > 0 {
		return p.Sites
	}
	return []Site{{Function: p.Function, Offset: p.Offset, Address: p.Address, Fetch: p.Fetch}}
}

// Limits say which hits of a probe are kept. The others count as sampled out.
type Limits struct {
	Every uint64 // keep one hit in Every on each CPU; 0 and 1 keep all
	Rate  uint64 // maximum hits per second on all CPUs; 0 means no limit
	Max   uint64 // maximum number of hits; 0 means no limit
}

// Period returns how many events a hit stands for.
func (p *Probe) Period() uint64 {
	if p.PerfPeriod > 0 {
		return p.PerfPeriod
	}
	return max(p.Limits.Every, 1)
}

// lowestKernelAddress is the start of the upper half of the address space, which belongs
// to the kernel on all 64-bit machines.
const lowestKernelAddress = 1 << 63

// A Watch says what a watchpoint watches.
type Watch struct {
	Address uint64
	Length  uint8 // bytes: 1, 2, 4 or 8
	Access  event.Access
}

// InKernel reports whether the address is in the kernel, and so the same in all
// processes.
func (w *Watch) InKernel() bool { return w.Address >= lowestKernelAddress }
