package attach

import (
	"fmt"

	"trapline/bpf"
)

// A Scope limits whose hits are recorded. The zero Scope is the whole machine
// but the recorder itself. Several limits must all be met, except that a task
// is in if its process or its thread is listed.
type Scope struct {
	PIDs, TIDs []uint32
	UIDs       []uint32 // at most 8
	CPUs       []int    // below 1,024
	Comms      []string // patterns of task names, as package glob reads them
	Except     []string // tasks of these names are left out
	Cgroups    []string // directories of a cgroup2 file system, what is below them included; at most 16
	NoInherit  bool     // children of listed processes and threads are not followed
}

// Limits of a [Scope].
const (
	MaxUsers   = bpf.MaxUIDs
	MaxCPUs    = bpf.MaxCPUs // CPUs below this number can be named
	MaxCgroups = bpf.MaxCgroups
)

// Invalid returns the first field that is outside the limits of BPF programs, and why;
// "" if there is none. It does not look at the machine.
func (s *Scope) Invalid() (field, reason string) {
	if len(s.UIDs) > MaxUsers {
		return "UIDs", fmt.Sprintf("at most %d users", MaxUsers)
	}
	for _, cpu := range s.CPUs {
		if cpu < 0 || cpu >= MaxCPUs {
			return "CPUs", fmt.Sprintf("CPU %d is not one of 0 to %d", cpu, MaxCPUs-1)
		}
	}
	if len(s.Cgroups) > MaxCgroups {
		return "Cgroups", fmt.Sprintf("%d control groups, at most %d are possible: name a parent of them", len(s.Cgroups), MaxCgroups)
	}
	if _, err := commPatterns(s.Comms); err != nil {
		return "Comms", err.Error()
	}
	if _, err := commPatterns(s.Except); err != nil {
		return "Except", err.Error()
	}
	return "", ""
}
