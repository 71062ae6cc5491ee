package attach

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/predicate"
	"trapline/capture/probe"
	"trapline/capture/ring"
	"trapline/format"
)

// Programs are a recording's maps and what programs are loaded with.
type Programs struct {
	settings      *Settings
	Maps          map[string]*ebpf.Map
	KernelRules   bool // kernel stacks are walked by rules
	CountMappings bool // the kernel does not count the changes of address spaces
}

// probeProgram is the program behind each kind of hook.
var probeProgram = map[format.ProbeKind]string{
	format.ProbeTracepoint:    bpf.HooksProgOnTracepoint,
	format.ProbeRawTracepoint: bpf.HooksProgOnRawTracepoint,
	format.ProbeKprobe:        bpf.HooksProgOnRegisters,
	format.ProbeKretprobe:     bpf.HooksProgOnRegisters,
	format.ProbeUprobe:        bpf.HooksProgOnRegisters,
	format.ProbeUretprobe:     bpf.HooksProgOnRegisters,
	format.ProbeFentry:        bpf.HooksProgOnFentry,
	format.ProbeFexit:         bpf.HooksProgOnFexit,
	format.ProbeTimed:         bpf.HooksProgOnTimed,
	format.ProbeWatchpoint:    bpf.HooksProgOnTimed,
	format.ProbeUSDT:          bpf.HooksProgOnRegisters,
}

// NewPrograms creates the shared maps.
func NewPrograms(settings *Settings, layout ring.Layout) (*Programs, error) {
	spec, err := bpf.LoadHooks()
	if err != nil {
		return nil, err
	}
	p := &Programs{settings: settings, Maps: make(map[string]*ebpf.Map)}
	p.CountMappings = p.UserRules() && host.MappingsUncounted()
	for name, m := range spec.Maps {
		switch name {
		case bpf.HooksMapRings:
			m.MaxEntries = layout.Rings()
		case bpf.HooksMapBlocks:
			m.MaxEntries = layout.Blocks()
		case bpf.HooksMapAccounts, bpf.HooksMapAnchors:
			m.MaxEntries = uint32(len(settings.Probes))
		case bpf.HooksMapCalls:
			if m.MaxEntries = 1; measuresCalls(settings.Probes) {
				m.MaxEntries = openCalls
			}
		case bpf.HooksMapRows:
			if !p.UserRules() {
				m.MaxEntries = 1
			}
		case bpf.HooksMapLimits:
			m.MaxEntries = uint32(len(settings.Probes)) + 1
		}
		if m.Type == ebpf.Array && name[0] == '.' { // .rodata: each program's own
			continue
		}
		created, err := ebpf.NewMap(m)
		if err != nil {
			p.Close()
			return nil, fmt.Errorf("create map %s: %w", name, err)
		}
		p.Maps[name] = created
	}
	if err := p.enterScope(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// enterScope fills the maps that the scope needs.
func (p *Programs) enterScope() error {
	s := &p.settings.Scope
	one := uint8(1)
	for name, ids := range map[string][]uint32{bpf.HooksMapScopePids: s.PIDs, bpf.HooksMapScopeTids: s.TIDs} {
		for _, id := range ids {
			if err := p.Maps[name].Put(id, one); err != nil {
				return fmt.Errorf("enter task %d: %w", id, err)
			}
		}
	}
	for set, patterns := range [][]string{bpf.CommOnly: s.Comms, bpf.CommExcept: s.Except} {
		compiled, err := commPatterns(patterns)
		if err != nil {
			return err
		}
		if err := p.Maps[bpf.HooksMapScopeComms].Put(uint32(set), compiled); err != nil {
			return fmt.Errorf("enter names of tasks: %w", err)
		}
	}
	for i, dir := range s.Cgroups {
		if err := p.enterCgroup(uint32(i), dir); err != nil {
			return err
		}
	}
	return nil
}

func (p *Programs) enterCgroup(i uint32, dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := p.Maps[bpf.HooksMapScopeCgroups].Put(i, uint32(f.Fd())); err != nil {
		return fmt.Errorf("enter cgroup %s: %w", dir, err)
	}
	return nil
}

// loadGroup loads the program that serves a group.
func (p *Programs) loadGroup(g *Group) (*ebpf.Program, error) {
	attachTo := ""
	switch g.probe.Kind {
	case format.ProbeRawTracepoint, format.ProbeFentry, format.ProbeFexit:
		attachTo = g.probe.Function
	}
	if g.EntryProgram != "" {
		return p.load(g.EntryProgram, attachTo, g)
	}
	return p.load(probeProgram[g.probe.Kind], attachTo, g)
}

// load loads one program with the constants of the recording and, if given, of a group.
func (p *Programs) load(program, attachTo string, g *Group) (*ebpf.Program, error) {
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
	if g != nil && g.multi {
		spec.Programs[program].AttachType = g.multiType()
	}
	if err := p.setConstants(spec, g); err != nil {
		return nil, err
	}
	if g != nil && g.probe.Filter != nil {
		if err := predicate.Inject(spec, program, g.probe.Filter); err != nil {
			return nil, err
		}
	}
	replacements := make(map[string]*ebpf.Map)
	for name := range spec.Maps {
		if shared := p.Maps[name]; shared != nil {
			spec.Maps[name].MaxEntries = shared.MaxEntries()
			replacements[name] = shared
		}
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: replacements})
	if err != nil {
		return nil, err
	}
	prog := coll.DetachProgram(program)
	coll.Close()
	return prog, nil
}

func (p *Programs) setConstants(spec *ebpf.CollectionSpec, g *Group) error {
	var v bpf.HooksVariableSpecs
	if err := spec.Assign(&v); err != nil {
		return err
	}
	s := &p.settings.Scope
	var scope uint32
	if len(s.PIDs) > 0 {
		scope |= bpf.ScopePIDs
	}
	if len(s.TIDs) > 0 {
		scope |= bpf.ScopeTIDs
	}
	if len(s.UIDs) > 0 {
		scope |= bpf.ScopeUIDs
	}
	if len(s.CPUs) > 0 {
		scope |= bpf.ScopeCPUs
	}
	if len(s.Comms) > 0 {
		scope |= bpf.ScopeComms
	}
	if len(s.Except) > 0 {
		scope |= bpf.ScopeExceptComms
	}
	if len(s.Cgroups) > 0 {
		scope |= bpf.ScopeCgroups
	}
	var uids [bpf.MaxUIDs]uint32
	copy(uids[:], s.UIDs)
	var cpus [bpf.MaxCPUs / 64]uint64
	for _, c := range s.CPUs {
		if c >= 0 && c < bpf.MaxCPUs {
			cpus[c/64] |= 1 << (c % 64)
		}
	}
	kernelStack, userStack := p.settings.stacksOf(g)
	set := []struct {
		v     *ebpf.VariableSpec
		value any
	}{
		{v.Scope, scope}, {v.ScopeUids, uids}, {v.ScopeUidCount, uint32(len(s.UIDs))}, {v.ScopeCpus, cpus},
		{v.ScopeCgroupCount, uint32(len(s.Cgroups))},
		{v.RecordingMax, p.settings.MaxHits}, {v.RecordingLimit, uint32(len(p.settings.Probes))},
		{v.SelfPid, uint32(os.Getpid())}, {v.Follow, Flag(!s.NoInherit)},
		{v.WithKernelStack, Flag(kernelStack)}, {v.WithUserStack, Flag(userStack)},
		{v.WithRules, Flag(p.UserRules())}, {v.WithKernelRules, Flag(p.KernelRules)},
		{v.VerifyEvery, uint32(p.settings.Stacks.VerifyEvery)}, {v.RawBudget, uint64(rawBudget)},
		{v.Exclusive, Flag(Exclusive(p.settings.Probes))},
		{v.HaveFindVma, Flag(host.HaveFindVMA())}, {v.CountMappings, Flag(p.CountMappings)},
		{v.HaveTaskRegs, Flag(features.HaveProgramHelper(ebpf.Kprobe, asm.FnTaskPtRegs) == nil)},
	}
	if g != nil {
		pr := g.probe
		fetches, err := encodeFetches(g.fetch)
		if err != nil {
			return err
		}
		interval, burst := rate(pr.Limits.Rate)
		var locs [bpf.MaxDataLocs]uint16
		n := copy(locs[:], pr.DataLocs)
		set = append(set, []struct {
			v     *ebpf.VariableSpec
			value any
		}{
			{v.RecordSize, uint32(pr.RecordSize)}, {v.DataLocCount, uint32(n)}, {v.DataLocs, locs},
			{v.FetchCount, uint32(len(g.fetch))}, {v.Fetches, fetches},
			{v.SampleEvery, uint32(pr.Limits.Every)}, {v.ProbeMax, pr.Limits.Max},
			{v.RateInterval, interval}, {v.RateBurst, burst},
			{v.DurationAt, uint32(pr.DurationAt)}, {v.DurationMark, uint32(pr.DurationMark)},
			{v.PoppedAtReturn, g.poppedAtReturn()}, {v.GoroutineCalls, Flag(pr.Entry != 0)},
			{v.ProbeIndex, uint32(g.Index)}, {v.ManyProbes, Flag(g.many)}, {v.MaxFrames, uint32(p.settings.framesToTake(pr))},
			{v.FetchEnd, uint32(pr.RecordSize)}, {v.MarksAt, uint32(pr.MarksAt)},
		}...)
	}
	for _, s := range set {
		if s.v == nil {
			continue // the compiler found no use for it in any program
		}
		if err := s.v.Set(s.value); err != nil {
			return err
		}
	}
	return nil
}

// rawBudget is how many bytes of raw stacks each CPU may send a second.
const rawBudget = 64 << 20

// UserRules reports whether user stacks are walked by rules.
func (p *Programs) UserRules() bool {
	return p.settings.anyUserStacks() && !p.settings.Stacks.FramePointers && runtime.GOARCH == "amd64" && host.HaveFindVMA()
}

// rate returns the average distance of a probe's hits and how much earlier one
// may come, in ns: so much that the hits of a tenth of a second may come at once.
func rate(hits uint64) (interval, burst uint64) {
	if hits == 0 {
		return 0, 0
	}
	interval = (event.MaxRate + hits - 1) / hits
	return interval, max(hits/10, 1)*interval - interval
}

// systemCalls is the group of the tracepoints of single system calls.
const systemCalls = "syscalls"

// atSystemCall reports whether a probe is a tracepoint of one system call. Its
// kernel stack is the same few frames of the way in, always; perf leaves it out,
// too, so that the innermost function is the one that made the call.
func atSystemCall(g *Group) bool {
	return g != nil && g.probe.Kind == format.ProbeTracepoint && g.probe.Group == systemCalls
}

// Exclusive reports whether the kernel runs at most one of the probes' programs at a time on a CPU.
func Exclusive(probes []probe.Probe) bool {
	for i := range probes {
		switch probes[i].Kind {
		case format.ProbeTracepoint, format.ProbeKprobe, format.ProbeKretprobe, format.ProbeTimed:
		default:
			return false
		}
	}
	return true
}

func Flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

func (p *Programs) Close() error {
	var errs []error
	for _, m := range p.Maps {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}
