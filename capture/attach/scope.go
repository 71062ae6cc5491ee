package attach

// A Scope limits whose hits are recorded. The zero Scope is the whole machine
// but the recorder itself. Several limits must all be met, except that a task
// is in if its process or its thread is listed.
type Scope struct {
	PIDs, TIDs []uint32
	UIDs       []uint32 // at most 8
	CPUs       []int    // below 1,024
	Comms      []string // globs of task names: see commPatterns
	Except     []string // tasks of these names are left out
	Cgroups    []string // directories of a cgroup2 file system, what is below them included; at most 16
	NoInherit  bool     // children of listed processes and threads are not followed
}

// CheckNames reports whether the names of tasks can be looked for.
func (s *Scope) CheckNames() error {
	for _, patterns := range [][]string{s.Comms, s.Except} {
		if _, err := commPatterns(patterns); err != nil {
			return err
		}
	}
	return nil
}
