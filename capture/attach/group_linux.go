package attach

import (
	"fmt"
	"runtime"
	"slices"

	"trapline/capture/layout"
	"trapline/capture/probe"
)

// A group is what one program serves: sites that differ in nothing that the
// program is loaded with, but perhaps in the probe that they belong to.
type group struct {
	index int          // of the first probe
	probe *probe.Probe // the first
	fetch []layout.Fetch
	sites []site
	many  bool // sites of more than one probe
	// program is the BPF program, a name of package bpf.
	program string
	// entry: the program notes when calls begin, for another group, and records nothing.
	entry bool
	// backends can attach the sites, the preferred one first.
	backends []probe.Backend

	taken map[hookPlace]bool
}

// A hookPlace is what the kernel finds a site's cookie by: no two sites of a group share one.
type hookPlace struct {
	group, function string
	offset, address uint64
}

func (g *group) kind() *probe.Kind { return probe.KindOf(g.probe.Kind) }

// atReturn reports whether the kernel is to call the program when the functions
// return, rather than at their return instructions.
func (g *group) atReturn() bool { return g.kind().AtReturn() && !g.probe.AtReturns }

// poppedAtReturn is how many bytes the return has taken off the stack when the
// program runs: the return address that a call of x86-64 pushes.
func (g *group) poppedAtReturn() uint32 {
	if runtime.GOARCH == "amd64" && g.atReturn() && g.kind().Registers {
		return 8
	}
	return 0
}

// groupProbes puts the sites of all probes into groups. Kinds whose programs name
// their hook when they are loaded take a program each.
func groupProbes(probes []probe.Probe) []*group {
	var groups []*group
	open := make(map[string]*group)
	for i := range probes {
		p := &probes[i]
		for _, s := range p.AllSites() {
			key := groupKey(p, &s)
			place := hookPlace{p.Group, s.Function, s.Offset, s.Address}
			g := open[key]
			if key == "" || g == nil || g.taken[place] {
				g = &group{index: i, probe: p, fetch: s.Fetch, program: probe.KindOf(p.Kind).Program, taken: make(map[hookPlace]bool)}
				groups = append(groups, g)
				open[key] = g
			}
			g.taken[place] = true
			g.sites = append(g.sites, site{i, p, s})
			g.many = g.many || i != g.index
		}
	}
	for _, g := range groups {
		g.backends = serving(g.kind(), g.sites)
	}
	return groups
}

// groupKey is the same for sites that one program may serve, "" where it may serve no other.
func groupKey(p *probe.Probe, s *probe.Site) string {
	sharing := probe.KindOf(p.Kind).Sharing
	if sharing == nil {
		return ""
	}
	key := fmt.Sprintf("%d %q %v %d %d %d", p.Kind, p.Event, p.Limits, p.Stack, p.Depth, p.RecordSize)
	if p.DurationAt != 0 {
		key += fmt.Sprintf(" %d %d", p.DurationAt, p.DurationMark)
	}
	if p.Filter != nil {
		key += fmt.Sprintf(" %v %v", p.Filter, p.Fields)
	}
	return key + " " + sharing(p, s)
}

// entries returns the group of the places where the calls begin that the group's
// probes say the duration of; nil if they do not.
func (g *group) entries() *group {
	if g.probe.DurationAt == 0 {
		return nil
	}
	e := &group{index: g.index, probe: g.probe.AtEntry(), many: g.many, program: g.kind().EntryProgram, entry: true}
	for _, s := range g.sites {
		if s.probe.AtReturns { // several places for one entry
			if slices.ContainsFunc(e.sites, func(other site) bool { return other.index == s.index }) {
				continue
			}
			s.Offset = s.probe.Entry
		}
		s.probe = s.probe.AtEntry()
		e.sites = append(e.sites, s)
	}
	e.backends = serving(e.kind(), e.sites)
	return e
}

// Backends says by what the kernel is to call the program of each probe: for people to
// read. Where the kernel refuses a link for many, they are attached one by one.
func Backends(probes []probe.Probe) []string {
	names := make([]string, len(probes))
	for _, g := range groupProbes(probes) {
		for _, s := range g.sites {
			names[s.index] = g.backends[0].String()
		}
	}
	return names
}

// Exclusive reports whether the kernel runs at most one of the probes' programs at a time on a CPU.
func Exclusive(probes []probe.Probe) bool {
	return !slices.ContainsFunc(probes, func(p probe.Probe) bool { return !probe.KindOf(p.Kind).Exclusive })
}
