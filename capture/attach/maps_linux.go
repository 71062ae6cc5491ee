package attach

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/cilium/ebpf"

	"trapline/bpf"
	"trapline/capture/probe"
	"trapline/capture/ring"
)

// maps are the maps that all programs of a recording share, by name.
type maps map[string]*ebpf.Map

// openCalls is how many calls can be open at a time, for all probes that measure
// durations.
const openCalls = 1 << 16

// create creates the maps in the sizes that the settings need.
func (m maps) create(s *Settings, layout ring.Layout) error {
	spec, err := bpf.LoadHooks()
	if err != nil {
		return err
	}
	probes := uint32(len(s.Probes))
	sizes := map[string]uint32{
		bpf.HooksMapRings:    layout.Rings(),
		bpf.HooksMapBlocks:   layout.Blocks(),
		bpf.HooksMapAccounts: probes,
		bpf.HooksMapAnchors:  probes,
		bpf.HooksMapLimits:   probes + 1,
		bpf.HooksMapCalls:    1,
	}
	if measuresCalls(s.Probes) {
		sizes[bpf.HooksMapCalls] = openCalls
	}
	if !s.UserRules() {
		sizes[bpf.HooksMapRows] = 1
	}
	for name, one := range spec.Maps {
		if one.Type == ebpf.Array && name[0] == '.' { // .rodata: every program has its own
			continue
		}
		if size, ok := sizes[name]; ok {
			one.MaxEntries = size
		}
		created, err := ebpf.NewMap(one)
		if err != nil {
			return fmt.Errorf("create map %s: %w", name, err)
		}
		m[name] = created
	}
	return nil
}

// measuresCalls reports whether any probe measures durations.
func measuresCalls(probes []probe.Probe) bool {
	return slices.ContainsFunc(probes, func(p probe.Probe) bool { return p.DurationAt != 0 })
}

// enter fills the maps of the scope.
func (m maps) enter(s *Scope) error {
	one := uint8(1)
	for name, ids := range map[string][]uint32{bpf.HooksMapScopePids: s.PIDs, bpf.HooksMapScopeTids: s.TIDs} {
		for _, id := range ids {
			if err := m[name].Put(id, one); err != nil {
				return fmt.Errorf("enter task %d: %w", id, err)
			}
		}
	}
	for set, patterns := range [][]string{bpf.CommOnly: s.Comms, bpf.CommExcept: s.Except} {
		compiled, err := commPatterns(patterns)
		if err != nil {
			return err
		}
		if err := m[bpf.HooksMapScopeComms].Put(uint32(set), compiled); err != nil {
			return fmt.Errorf("enter task names: %w", err)
		}
	}
	for i, dir := range s.Cgroups {
		if err := m.enterCgroup(uint32(i), dir); err != nil {
			return err
		}
	}
	return nil
}

func (m maps) enterCgroup(i uint32, dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := m[bpf.HooksMapScopeCgroups].Put(i, uint32(f.Fd())); err != nil {
		return fmt.Errorf("enter cgroup %s: %w", dir, err)
	}
	return nil
}

// replace returns the shared maps that replace those of a collection.
func (m maps) replace(spec *ebpf.CollectionSpec) map[string]*ebpf.Map {
	replacements := make(map[string]*ebpf.Map)
	for name := range spec.Maps {
		if shared := m[name]; shared != nil {
			spec.Maps[name].MaxEntries = shared.MaxEntries()
			replacements[name] = shared
		}
	}
	return replacements
}

func (m maps) close() error {
	var errs []error
	for _, one := range m {
		errs = append(errs, one.Close())
	}
	clear(m)
	return errors.Join(errs...)
}
