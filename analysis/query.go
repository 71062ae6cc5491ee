package analysis

import (
	"slices"
	"strings"

	"trapline/internal/glob"
)

// A TaskKey says what of their task hits are grouped by.
type TaskKey uint8

const (
	NoTask   TaskKey = iota
	ByComm           // Sample.Task.Comm
	ByPID            // Sample.Task.PID and Sample.Process
	ByThread         // all of Sample.Task, and Sample.Process
)

// A Query says which hits to count and what to count them by.
type Query struct {
	Filter Filter
	Task   TaskKey
	CPU    bool
	Probe  bool
	Kernel bool // kernel stack
	User   bool // user stack
	// Args are names of arguments, "next_comm" of any probe or
	// "sched_switch.next_comm" of one ([MatchArg]); "args[1]" is one element of an
	// array.
	Args       []string
	NoDemangle bool // leave function names as they were linked
}

// A Filter keeps the hits that satisfy each of its fields; an empty field keeps
// all hits.
type Filter struct {
	Comms  []string
	PIDs   []uint32
	TIDs   []uint32
	CPUs   []int
	Probes []string // names or patterns of probes

	// DSOs and Symbols look at the innermost call of a hit (kernel stack first):
	// file name or path of its image, and name of its function.
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

// A cpuSet is indexed by CPU; nil holds all.
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

// matchProbe compares names and patterns with a probe's name and with its part after
// the last colon, so that "sched_*" finds what "sched:sched_*" finds.
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
			continue // a malformed pattern can only be meant as a name
		}
		if pattern.Match(name) || pattern.Match(short) {
			return true
		}
	}
	return false
}

// MatchCall holds the call's image against dsos and its function against
// symbols, as perf's -d and -S do.
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
