package attach

import (
	"fmt"

	"github.com/cilium/ebpf/features"

	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/layout"
	"trapline/capture/probe"
	"trapline/format"
)

// A Group is what one program serves: places that differ in nothing that the
// program is loaded with, but perhaps in the probe that they belong to.
type Group struct {
	Index int          // of the first probe
	probe *probe.Probe // the first
	fetch []layout.Fetch
	sites []groupSite
	many  bool // sites of more than one probe
	multi bool // one link takes all sites

	// entryProgram notes when calls begin, for another group; "": hits are recorded.
	EntryProgram string

	taken map[groupPlace]bool
}

// A groupPlace is what the kernel finds a site's cookie by: no two sites of a group share one.
type groupPlace struct {
	group, function string
	offset, address uint64
}

type groupSite struct {
	index int // of the probe that hits belong to
	probe *probe.Probe
	probe.Site
}

// GroupProbes puts the sites of all probes into groups. Kinds that
// name what they hook when they are loaded take a program each.
func GroupProbes(probes []probe.Probe) []*Group {
	var groups []*Group
	open := make(map[string]*Group)
	for i := range probes {
		p := &probes[i]
		for _, s := range p.Places() {
			key := groupKey(p, &s)
			place := groupPlace{p.Group, s.Function, s.Offset, s.Address}
			g := open[key]
			if key == "" || g == nil || g.taken[place] {
				g = &Group{Index: i, probe: p, fetch: s.Fetch, taken: make(map[groupPlace]bool)}
				groups = append(groups, g)
				open[key] = g
			}
			g.taken[place] = true
			g.sites = append(g.sites, groupSite{i, p, s})
			g.many = g.many || i != g.Index
		}
	}
	for _, g := range groups {
		g.multi = g.takesMulti()
	}
	return groups
}

// groupKey is the same for sites that one program may serve, "" where it may serve no other.
func groupKey(p *probe.Probe, s *probe.Site) string {
	key := fmt.Sprintf("%d %q %v %d %d %d", p.Kind, p.Event, p.Limits, p.Stack, p.Depth, p.RecordSize)
	if p.DurationAt != 0 {
		key += fmt.Sprintf(" %d %d", p.DurationAt, p.DurationMark)
	}
	if p.Filter != nil {
		key += fmt.Sprintf(" %v %v", p.Filter, p.Fields)
	}
	switch p.Kind {
	case format.ProbeTracepoint:
		return key + fmt.Sprintf(" %t %v %v", p.Group == systemCalls, p.DataLocs, s.Fetch)
	case format.ProbeKprobe, format.ProbeKretprobe:
		return key + fmt.Sprintf(" %t %v", s.Offset != 0, s.Fetch)
	case format.ProbeUprobe, format.ProbeUretprobe, format.ProbeUSDT:
		return key + fmt.Sprintf(" %q %t %v", p.Path, p.AtReturns, s.Fetch)
	}
	return ""
}

// takesMulti reports whether the group's sites can be attached by one link. A single
// site is attached as it would be without, unless that takes CAP_SYS_ADMIN, as it
// does for uprobes, and the process does not have it.
func (g *Group) takesMulti() bool {
	switch g.probe.Kind {
	case format.ProbeKprobe, format.ProbeKretprobe:
		return len(g.sites) > 1 && g.sites[0].Offset == 0 && features.HaveBPFLinkKprobeMulti() == nil
	case format.ProbeUprobe, format.ProbeUretprobe, format.ProbeUSDT:
		return (len(g.sites) > 1 || !host.Have(host.SysAdmin)) && features.HaveBPFLinkUprobeMulti() == nil
	}
	return false
}

// How many programs and links one event may take that are loaded or attached one by
// one. A program takes the verifier some 10 ms; a link of a function waits for all CPUs when
// it is closed.
const (
	manyPrograms = 64
	manyLinks    = 256
)

// CheckSlow refuses events that would take many seconds to attach and detach.
func CheckSlow(groups []*Group) error {
	programs := make(map[string]int) // by event
	for _, g := range groups {
		text := g.probe.Event
		switch g.probe.Kind {
		case format.ProbeFentry, format.ProbeFexit:
			if programs[text]++; programs[text] > manyPrograms {
				return &event.UnsupportedError{Event: text, Reason: fmt.Sprintf("more than %d functions match, and fentry and fexit take a program for each", manyPrograms),
					Remedy: "use a kprobe, narrow the pattern, or say --allow-slow"}
			}
		case format.ProbeKprobe, format.ProbeKretprobe, format.ProbeUprobe, format.ProbeUretprobe, format.ProbeUSDT:
			if !g.multi && len(g.sites) > manyLinks {
				return &event.UnsupportedError{Event: text, Reason: fmt.Sprintf("this kernel attaches to functions one by one, and %d match", len(g.sites)),
					Remedy: "narrow the pattern, or say --allow-slow"}
			}
		}
	}
	return nil
}
