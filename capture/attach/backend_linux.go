package attach

import (
	"trapline/capture/probe"
	"trapline/format"
)

// Backends says by what the kernel is to call the program of each probe: for people to
// read. Where the kernel refuses a link for many, they are attached one by one.
func Backends(probes []probe.Probe) []string {
	backends := make([]string, len(probes))
	for _, g := range GroupProbes(probes) {
		for _, s := range g.sites {
			backends[s.index] = g.backend()
		}
	}
	return backends
}

func (g *Group) backend() string {
	switch g.probe.Kind {
	case format.ProbeTracepoint:
		return "perf event of the tracepoint"
	case format.ProbeRawTracepoint:
		return "raw tracepoint link"
	case format.ProbeFentry, format.ProbeFexit:
		return "BPF trampoline"
	case format.ProbeWatchpoint:
		return "hardware breakpoint"
	case format.ProbeTimed:
		return "perf event of each CPU"
	case format.ProbeKprobe, format.ProbeKretprobe:
		if g.multi {
			return "kprobe.multi link"
		}
		return "kprobe by a perf event"
	}
	if g.multi {
		return "uprobe.multi link"
	}
	return "uprobe by a perf event"
}
