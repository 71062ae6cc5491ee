package analysis

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
	Probes []string // names or globs of probes

	// DSOs and Symbols look at the innermost call of a hit (kernel stack first):
	// file name or path of its image, and name of its function.
	DSOs    []string
	Symbols []string
}
