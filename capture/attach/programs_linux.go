package attach

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"trapline/bpf"
	"trapline/capture/ring"
)

// Programs are the BPF programs of a recording with their maps and links. New returns
// them, Open creates the maps, Attach loads and attaches the programs.
type Programs struct {
	loader
	attachments []*attachment
	helpers     links // links of helpers
}

// New returns the programs of a recording. They use no kernel resources yet.
func New(s *Settings) *Programs {
	return &Programs{loader: loader{settings: s, maps: make(maps)}}
}

// Open creates the maps and fills those of the scope.
func (p *Programs) Open(layout ring.Layout) error {
	if err := p.maps.create(p.settings, layout); err != nil {
		return err
	}
	return p.maps.enter(&p.settings.Scope)
}

// Map returns a map by its name in package bpf.
func (p *Programs) Map(name string) *ebpf.Map { return p.maps[name] }

// WalkKernelByRules makes programs walk kernel stacks by rules. Call it before Attach.
func (p *Programs) WalkKernelByRules() { p.kernelRules = true }

// Attach loads and attaches all programs. cpus are the online CPUs. No program records
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
		for _, g := range []*group{g.entries(), g} { // entries first, so that no return comes without one
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

// Begin saves the kernel's counts of skipped hits. Call it when recording starts.
func (p *Programs) Begin() {
	for _, a := range p.attachments {
		a.begin()
	}
}

// Switch starts or stops recording and sets the epoch of stack hashes.
func (p *Programs) Switch(record bool, epoch uint64) error {
	err := p.maps[bpf.HooksMapControls].Put(uint32(0), bpf.HooksControl{Epoch: epoch, Enabled: flag(record)})
	if err != nil {
		return fmt.Errorf("switch programs: %w", err)
	}
	return nil
}

// End detaches the programs of probes. The maps remain.
func (p *Programs) End() error {
	var errs []error
	for _, a := range p.attachments {
		errs = append(errs, a.end())
	}
	return errors.Join(errs...)
}

// Skipped yields the hits that the kernel skipped since Begin, for all CPUs together:
// because another probe was running, and because a return probe had no free instance. The
// kernel counts them by program. If probes share one, the first gets all.
func (p *Programs) Skipped(yield func(probe int, recursion, missed uint64)) {
	for _, a := range p.attachments {
		if a.group.entry {
			continue // no hits of a probe
		}
		s := a.since()
		yield(a.group.index, s.recursion, s.missed)
	}
}

// Counts returns the programs' counts of a probe by CPU.
func (p *Programs) Counts(probe int) ([]bpf.HooksCounts, error) {
	var counts []bpf.HooksCounts
	err := p.maps[bpf.HooksMapAccounts].Lookup(uint32(probe), &counts)
	return counts, err
}

// VerifiedKernelStacks returns how many kernel stacks were found in two ways and how many
// of those differed.
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

// checkSlow rejects events that take many seconds to attach and detach.
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
