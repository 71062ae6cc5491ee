package attach

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"trapline/bpf"
	"trapline/capture/ring"
)

// Programs are a recording's programs, the maps that they share, and what ties them to
// their hooks. New prepares them, Open creates the maps, Attach loads and attaches.
type Programs struct {
	loader
	attachments []*attachment
	helpers     links // of programs that record nothing themselves
}

// New returns the programs of a recording. They hold nothing in the kernel yet.
func New(s *Settings) *Programs {
	return &Programs{loader: loader{settings: s, maps: make(maps)}}
}

// Open creates the maps that the programs share, and enters the scope.
func (p *Programs) Open(layout ring.Layout) error {
	if err := p.maps.create(p.settings, layout); err != nil {
		return err
	}
	return p.maps.enter(&p.settings.Scope)
}

// Map returns a shared map by its name in package bpf.
func (p *Programs) Map(name string) *ebpf.Map { return p.maps[name] }

// WalkKernelByRules has kernel stacks walked by rules. It is to be called before Attach.
func (p *Programs) WalkKernelByRules() { p.kernelRules = true }

// Attach loads and attaches all programs, on the CPUs that are online. None records
// before Switch.
func (p *Programs) Attach(cpus []int) error {
	for _, h := range helpersFor(p.settings) {
		if err := p.attachHelper(h, &p.helpers); err != nil {
			return err
		}
	}
	groups := groupProbes(p.settings.Probes)
	if err := checkSlow(groups); err != nil && !p.settings.AllowSlow {
		return err
	}
	for _, g := range groups {
		for _, g := range []*group{g.entries(), g} { // no return without its entry
			if g == nil {
				continue
			}
			a, err := p.attach(g, cpus)
			if err != nil {
				return err
			}
			p.attachments = append(p.attachments, a)
		}
	}
	return nil
}

// Begin notes what the kernel has counted so far, as hits begin to be recorded.
func (p *Programs) Begin() {
	for _, a := range p.attachments {
		a.begin()
	}
}

// Switch has all programs record or not, and sets the epoch of stack hashes.
func (p *Programs) Switch(record bool, epoch uint64) error {
	err := p.maps[bpf.HooksMapControls].Put(uint32(0), bpf.HooksControl{Epoch: epoch, Enabled: flag(record)})
	if err != nil {
		return fmt.Errorf("switch the programs: %w", err)
	}
	return nil
}

// End detaches the programs of probes. Their maps stay.
func (p *Programs) End() error {
	var errs []error
	for _, a := range p.attachments {
		errs = append(errs, a.end())
	}
	return errors.Join(errs...)
}

// Skipped calls yield with the hits that the kernel itself skipped since Begin, of all
// CPUs together: because a probe was being run already, and because a return probe had
// no free instance. The kernel counts by program: of several probes, the first gets all.
func (p *Programs) Skipped(yield func(probe int, recursion, missed uint64)) {
	for _, a := range p.attachments {
		if a.group.entry {
			continue // its hits are nobody's
		}
		s := a.since()
		yield(a.group.index, s.recursion, s.missed)
	}
}

// Counts returns what the programs counted of a probe, by CPU.
func (p *Programs) Counts(probe int) ([]bpf.HooksCounts, error) {
	var counts []bpf.HooksCounts
	err := p.maps[bpf.HooksMapAccounts].Lookup(uint32(probe), &counts)
	return counts, err
}

// VerifiedKernelStacks returns how many kernel stacks were found in two ways, and how
// many of them were not the same.
func (p *Programs) VerifiedKernelStacks() (compared, different uint64) {
	var verified []bpf.HooksComparison
	if m := p.maps[bpf.HooksMapVerified]; m == nil || m.Lookup(uint32(0), &verified) != nil {
		return 0, 0
	}
	for _, v := range verified {
		compared += v.Compared
		different += v.Different
	}
	return compared, different
}

// Detach detaches and unloads all programs. It may be called at any time.
func (p *Programs) Detach() error {
	var errs []error
	for _, a := range p.attachments {
		errs = append(errs, a.close())
	}
	p.attachments = nil
	return errors.Join(append(errs, p.helpers.close())...)
}

// Close detaches all programs and frees the maps. It may be called at any time.
func (p *Programs) Close() error {
	return errors.Join(p.Detach(), p.maps.close())
}

// checkSlow refuses events that would take many seconds to attach and detach.
func checkSlow(groups []*group) error {
	programs := make(map[string]int) // by event
	for _, g := range groups {
		event := g.probe.Event
		programs[event]++
		if tooMany := backends[g.backends[0]].tooMany; tooMany != nil {
			if err := tooMany(event, programs[event], len(g.sites)); err != nil {
				return err
			}
		}
	}
	return nil
}
