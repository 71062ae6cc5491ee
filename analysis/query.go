package analysis

import (
	"slices"
	"strings"

	"trapline/internal/glob"
)

// A TaskKey says which part of the task hits are grouped by.
type TaskKey uint8

const (
	NoTask   TaskKey = iota
	ByComm           // Sample.Task.Comm
	ByPID            // Sample.Task.PID and Sample.Process
	ByThread         // all of Sample.Task, and Sample.Process
)

// A Query says which hits to count and how to group them.
type Query struct {
	Filter Filter
	Task   TaskKey
	CPU    bool
	Probe  bool
	Kernel bool // kernel stack
	User   bool // user stack
	// Args are names of arguments, as for [MatchArg]: "next_comm" of any probe,
	// "sched_switch.next_comm" of one probe, or "args[1]" for one element of an
	// array.
	Args       []string
	NoDemangle bool // keep the function names of the symbol table
}

// A Filter keeps the hits that match all of its fields. An empty field matches
// every hit.
type Filter struct {
	Comms  []string
	PIDs   []uint32
	TIDs   []uint32
	CPUs   []int
	Probes []string // names or patterns of probes

	// DSOs and Symbols match the innermost call of a hit, looking at the kernel
	// stack first: the file name or path of its image, and the name of its
	// function.
	DSOs    []string
	Symbols []string
}

func (f *Filter) matchTask(t Task, known bool) bool {
	if len(f.Comms)+len(f.PIDs)+len(f.TIDs) == 0 {
		return true
	}
	return known &&
		(len(f.Comms) == 0 || slices.Contains(f.Comms, t.Comm)) &&
		(len(f.PIDs) == 0 || slices.Contains(f.PIDs, t.PID)) &&
		(len(f.TIDs) == 0 || slices.Contains(f.TIDs, t.TID))
}

// A cpuSet is indexed by CPU. nil contains every CPU.
type cpuSet []bool

func newCPUSet(cpus []int) cpuSet {
	if len(cpus) == 0 {
		return nil
	}
	set := make(cpuSet, slices.Max(cpus)+1)
	for _, c := range cpus {
		set[c] = true
	}
	return set
}

func (s cpuSet) has(cpu uint32) bool {
	return s == nil || int(cpu) < len(s) && s[cpu]
}

// matchProbe matches names and patterns against the name of a probe and the part
// after its last colon, so that "sched_*" finds what "sched:sched_*" finds.
func (f *Filter) matchProbe(name string) bool {
	if len(f.Probes) == 0 {
		return true
	}
	short := name[strings.LastIndexByte(name, ':')+1:]
	for _, p := range f.Probes {
		if p == name || p == short {
			return true
		}
		pattern, err := glob.Parse(p)
		if err != nil {
			continue // a malformed pattern can only be a name
		}
		if pattern.Match(name) || pattern.Match(short) {
			return true
		}
	}
	return false
}

// MatchCall reports whether the image of a call is one of dsos and its function one
// of symbols, as the options -d and -S of perf do. Empty lists match every call.
func MatchCall(c *Call, dsos, symbols []string) bool {
	if len(dsos)+len(symbols) == 0 {
		return true
	}
	if c == nil {
		return false
	}
	if len(dsos) > 0 && !slices.Contains(dsos, c.DSO()) && (c.Image == nil || !slices.Contains(dsos, c.Image.Path)) {
		return false
	}
	return len(symbols) == 0 || slices.Contains(symbols, c.Name()) ||
		c.Linkage != "" && slices.Contains(symbols, c.Linkage)
}
