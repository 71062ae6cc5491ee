package attach

import (
	"github.com/cilium/ebpf"

	"trapline/capture/probe"
)

// A site is a place that a program is attached to, and the probe whose hits it has.
type site struct {
	index int // of the probe
	probe *probe.Probe
	probe.Site
}

// A target is what a backend attaches, and where.
type target struct {
	program  *ebpf.Program
	probe    *probe.Probe // the first of those that the sites belong to
	sites    []site
	many     bool // the sites belong to several probes: each one's cookie is its probe's index
	atReturn bool // the program runs when the functions return
	scope    *Scope
	cpus     []int // online
}

// cookie is what the program is told of a site.
func (t *target) cookie(s *site) uint64 {
	if t.many {
		return uint64(s.index)
	}
	return 0
}

// A siteError says which of a target's probes could not be attached.
type siteError struct {
	probe *probe.Probe
	err   error
}

func (e *siteError) Error() string { return e.probe.Name + ": " + e.err.Error() }

func (e *siteError) Unwrap() error { return e.err }
