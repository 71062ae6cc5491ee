package attach

import (
	"fmt"

	"trapline/bpf"
)

// A Scope limits whose hits are recorded. A hit must satisfy all limits, but a task
// matches if either its process or its thread is listed. The zero Scope is the whole
// machine except the recorder.
type Scope struct {
	PIDs, TIDs []uint32
	UIDs       []uint32 // at most MaxUsers
	CPUs       []int    // below MaxCPUs
	Comms      []string // patterns of task names; see package glob
	Except     []string // patterns of task names to exclude
	Cgroups    []string // directories of a cgroup2 file system, including their descendants; at most MaxCgroups
	NoInherit  bool     // do not follow children of listed processes and threads
}

// Limits of a [Scope].
const (
	MaxUsers   = bpf.MaxUIDs
	MaxCPUs    = bpf.MaxCPUs // exclusive
	MaxCgroups = bpf.MaxCgroups
)

// Invalid returns the name of the first field that exceeds the limits of BPF programs,
// and why, or "". It does not examine the machine.
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
		return "Cgroups", fmt.Sprintf("%d control groups: the maximum is %d; use a common parent", len(s.Cgroups), MaxCgroups)
	}
	if _, err := commPatterns(s.Comms); err != nil {
		return "Comms", err.Error()
	}
	if _, err := commPatterns(s.Except); err != nil {
		return "Except", err.Error()
	}
	return "", ""
}
