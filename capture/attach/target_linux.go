package attach

import (
	"github.com/cilium/ebpf"

	"trapline/capture/probe"
)

// A site is a place to attach a program to and the probe that its hits belong to.
type site struct {
	index int // of the probe
	probe *probe.Probe
	probe.Site
}

// A target is a program and the sites to attach it to.
type target struct {
	program  *ebpf.Program
	probe    *probe.Probe // the first probe of the sites
	sites    []site
	many     bool // the sites belong to several probes; cookies tell which
	atReturn bool // call the program when the functions return
	scope    *Scope
	cpus     []int // online
}

// cookie returns the cookie of a site: the index of its probe.
func (t *target) cookie(s *site) uint64 {
	if t.many {
		return uint64(s.index)
	}
	return 0
}

// A siteError is the error of one of a target's probes.
type siteError struct {
	probe *probe.Probe
	err   error
}

func (e *siteError) Error() string { return e.probe.Name + ": " + e.err.Error() }

func (e *siteError) Unwrap() error { return e.err }
