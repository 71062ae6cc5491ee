package attach

import (
	"fmt"
	"runtime"
	"slices"

	"trapline/capture/layout"
	"trapline/capture/probe"
)

// A group is the sites that one program serves. All constants of the program are the same
// for them, except the probe that hits belong to.
type group struct {
	index int          // index of the first probe
	probe *probe.Probe // the first probe
	fetch []layout.Fetch
	sites []site
	many  bool // the sites belong to several probes
	// program is the name of the BPF program in package bpf.
	program string
	// entry means that the program notes when calls begin, for another group, and records
	// nothing.
	entry bool
	// backends are the backends to try, preferred first.
	backends []probe.Backend

	taken map[hookPlace]bool
}

// A hookPlace is the key by which the kernel finds a site's cookie. It is unique within a
// group.
type hookPlace struct {
	group, function string
	offset, address uint64
}

func (g *group) kind() *probe.Kind { return probe.KindOf(g.probe.Kind) }

// atReturn reports whether the kernel calls the program when a function returns. It is
// false if the sites are return instructions.
func (g *group) atReturn() bool { return g.kind().AtReturn() && !g.probe.AtReturns }

// poppedAtReturn returns how many bytes the return has popped from the stack when the
// program runs: on x86-64, the return address.
func (g *group) poppedAtReturn() uint32 {
	if runtime.GOARCH == "amd64" && g.atReturn() && g.kind().Registers {
		return 8
	}
	return 0
}

// groupProbes groups the sites of all probes. Kinds whose programs name their hook at
// load time take one program per site.
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

// groupKey returns equal keys for sites that can share a program, and "" for sites that
// cannot.
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

// entries returns the group at the entries of the calls whose durations the group's
// probes measure, or nil.
func (g *group) entries() *group {
	if g.probe.DurationAt == 0 {
		return nil
	}
	e := &group{index: g.index, probe: g.probe.AtEntry(), many: g.many, program: g.kind().EntryProgram, entry: true}
	for _, s := range g.sites {
		if s.probe.AtReturns { // several return instructions share an entry
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

// Backends describes how the kernel calls the program of each probe. If it refuses a
// multi link, sites are attached one by one.
func Backends(probes []probe.Probe) []string {
	names := make([]string, len(probes))
	for _, g := range groupProbes(probes) {
		for _, s := range g.sites {
			names[s.index] = g.backends[0].String()
		}
	}
	return names
}

// Exclusive reports whether at most one of the probes' programs runs on a CPU at a time.
func Exclusive(probes []probe.Probe) bool {
	return !slices.ContainsFunc(probes, func(p probe.Probe) bool { return !probe.KindOf(p.Kind).Exclusive })
}
