package attach

import (
	"runtime"
	"slices"

	"trapline/bpf"
	"trapline/capture/probe"
	"trapline/format"
)

// openCalls is how many calls may be open at the same time, of all probes that say
// how long they took.
const openCalls = 1 << 16

// entryPrograms are the programs that note when calls begin, by the kind of the probe
// at their return.
var entryPrograms = map[format.ProbeKind]string{
	format.ProbeTracepoint: bpf.HooksProgOnCallTracepoint,
	format.ProbeKretprobe:  bpf.HooksProgOnCallRegisters,
	format.ProbeUretprobe:  bpf.HooksProgOnCallRegisters,
	format.ProbeFexit:      bpf.HooksProgOnCallFentry,
}

// measuresCalls reports whether any probe says how long calls took.
func measuresCalls(probes []probe.Probe) bool {
	return slices.ContainsFunc(probes, func(p probe.Probe) bool { return p.DurationAt != 0 })
}

// Entries returns the group of the places where the calls begin that the group's
// probes say the duration of; nil if they do not.
func (g *Group) Entries() *Group {
	if g.probe.DurationAt == 0 {
		return nil
	}
	e := &Group{Index: g.Index, probe: g.probe.AtEntry(), many: g.many, EntryProgram: entryPrograms[g.probe.Kind]}
	for _, s := range g.sites {
		if s.probe.AtReturns { // several places for one entry
			if slices.ContainsFunc(e.sites, func(other groupSite) bool { return other.index == s.index }) {
				continue
			}
			s.Offset = s.probe.Entry
		}
		s.probe = s.probe.AtEntry()
		e.sites = append(e.sites, s)
	}
	e.multi = e.takesMulti()
	return e
}

// poppedAtReturn is how many bytes the return has taken off the stack when the
// program runs: the return address that a call of x86-64 pushes.
func (g *Group) poppedAtReturn() uint32 {
	if runtime.GOARCH == "amd64" && g.atReturn() {
		return 8
	}
	return 0
}
