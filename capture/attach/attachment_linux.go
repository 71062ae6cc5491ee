package attach

import (
	"errors"

	"github.com/cilium/ebpf"
)

// An attachment is one program, loaded for a group of sites, and what ties it to them.
type attachment struct {
	group   *group
	program *ebpf.Program
	links   links
	ended   bool // its links are closed

	begun    bool
	baseline skips // when recording began
	skipped  skips // since then; set when it ended
}

// skips are hits that the kernel itself did not pass on.
type skips struct {
	recursion uint64 // since a probe was being run already
	missed    uint64 // since a return probe had no free instance
}

// attach loads a group's program and attaches it.
func (l *loader) attach(g *group, cpus []int) (a *attachment, err error) {
	// A link for many is all or nothing, and the kernel does not say which site it refuses.
	for _, b := range g.backends {
		row := backends[b]
		if a, err = l.attachBy(&row, g, cpus); err == nil {
			break
		}
	}
	return a, err
}

func (l *loader) attachBy(b *backend, g *group, cpus []int) (*attachment, error) {
	program, err := l.loadGroup(g, b)
	if err != nil {
		return nil, explainLoad(b, g.probe, err)
	}
	a := &attachment{group: g, program: program}
	t := &target{program: program, probe: g.probe, sites: g.sites, many: g.many, atReturn: g.atReturn(),
		scope: &l.settings.Scope, cpus: cpus}
	if err := b.attach(t, &a.links); err != nil {
		a.close()
		at, err := siteOf(err, g.probe)
		return nil, explainAttach(b, at, err)
	}
	return a, nil
}

// begin notes what the kernel has counted so far.
func (a *attachment) begin() {
	a.begun = true
	a.baseline = a.kernelCounts()
}

// end ends the hits, and keeps what the kernel counted.
func (a *attachment) end() error {
	if !a.ended {
		a.skipped = a.since()
		a.ended = true
	}
	return a.links.close()
}

// since returns what the kernel has skipped since begin.
func (a *attachment) since() skips {
	switch {
	case a.ended:
		return a.skipped
	case !a.begun:
		return skips{}
	}
	now := a.kernelCounts()
	return skips{now.recursion - a.baseline.recursion, now.missed - a.baseline.missed}
}

func (a *attachment) kernelCounts() skips {
	n := skips{missed: a.links.missed()}
	if s, err := a.program.Stats(); err == nil {
		n.recursion = s.RecursionMisses
	}
	return n
}

func (a *attachment) close() error {
	return errors.Join(a.links.close(), a.program.Close())
}
