package attach

import (
	"errors"

	"github.com/cilium/ebpf"
)

// An attachment is a program loaded for a group of sites, with its links to them.
type attachment struct {
	group   *group
	program *ebpf.Program
	links   links
	ended   bool // links are closed

	begun    bool
	baseline skips // counts when recording began
	skipped  skips // since then; set by end
}

// skips counts hits that the kernel did not pass to the program.
type skips struct {
	recursion uint64 // another probe was running
	missed    uint64 // a return probe had no free instance
}

// attach loads a group's program and attaches it with the first backend that works.
func (l *loader) attach(g *group, cpus []int) (a *attachment, err error) {
	// A multi link attaches to all sites or none, and the kernel does not tell which site
	// failed.
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

// begin saves the kernel's counts as the baseline.
func (a *attachment) begin() {
	a.begun = true
	a.baseline = a.kernelCounts()
}

// end detaches the program and keeps the counts.
func (a *attachment) end() error {
	if !a.ended {
		a.skipped = a.since()
		a.ended = true
	}
	return a.links.close()
}

// since returns the skips since begin.
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
