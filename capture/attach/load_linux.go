package attach

import (
	"github.com/cilium/ebpf"

	"trapline/bpf"
	"trapline/capture/predicate"
)

// A loader loads the programs of a recording.
type loader struct {
	settings    *Settings
	maps        maps // shared by all programs
	kernelRules bool // walk kernel stacks by rules
}

// loadGroup loads the program of a group for a backend.
func (l *loader) loadGroup(g *group, b *backend) (*ebpf.Program, error) {
	attachTo := ""
	if g.kind().AttachTo {
		attachTo = g.probe.Function
	}
	return l.load(g.program, attachTo, b.attachType, g)
}

// load loads a program with the constants of the recording and, if g is not nil, of a
// group.
func (l *loader) load(program, attachTo string, attachType ebpf.AttachType, g *group) (*ebpf.Program, error) {
	spec, err := bpf.LoadHooks()
	if err != nil {
		return nil, err
	}
	for name := range spec.Programs {
		if name != program {
			delete(spec.Programs, name)
		}
	}
	if attachTo != "" {
		spec.Programs[program].AttachTo = attachTo
	}
	if attachType != ebpf.AttachNone {
		spec.Programs[program].AttachType = attachType
	}
	if err := setConstants(spec, l.settings, l.kernelRules, g); err != nil {
		return nil, err
	}
	if g != nil && g.probe.Filter != nil {
		if err := predicate.Inject(spec, program, g.probe.Filter); err != nil {
			return nil, err
		}
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: l.maps.replace(spec)})
	if err != nil {
		return nil, err
	}
	prog := coll.DetachProgram(program)
	coll.Close()
	return prog, nil
}
