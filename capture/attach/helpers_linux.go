package attach

import (
	"github.com/cilium/ebpf"

	"trapline/bpf"
	"trapline/capture/host"
	"trapline/capture/probe"
)

// A helper is a program that supports others and records nothing.
type helper struct {
	program    string // name in package bpf
	tracepoint string // raw tracepoint
	purpose    string // for error messages
}

// helpersFor returns the helpers of a recording.
func helpersFor(s *Settings) []helper {
	var list []helper
	if !s.Scope.NoInherit && len(s.Scope.PIDs)+len(s.Scope.TIDs) > 0 {
		const purpose = "following children"
		list = append(list, helper{bpf.HooksProgOnFork, "sched_process_fork", purpose}, helper{bpf.HooksProgOnExit, "sched_process_exit", purpose})
	}
	if s.countMappings() {
		list = append(list, helper{bpf.HooksProgOnMapping, host.MappingTracepoint, "counting changes of mappings"})
	}
	return list
}

// attachHelper loads a helper and attaches it.
func (l *loader) attachHelper(h helper, to *links) error {
	row := backends[probe.RawTracepoint]
	named := &probe.Probe{Name: h.purpose, Event: h.purpose}
	program, err := l.load(h.program, h.tracepoint, ebpf.AttachNone, nil)
	if err != nil {
		return explainLoad(&row, named, err)
	}
	defer program.Close() // the link keeps it
	if err := row.attach(&target{program: program, probe: named}, to); err != nil {
		return explainAttach(&row, named, err)
	}
	return nil
}
