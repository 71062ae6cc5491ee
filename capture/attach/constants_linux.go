package attach

import (
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/probe"
)

// A constant is a read-only variable of a program and its value.
type constant struct {
	v     *ebpf.VariableSpec // nil if no program uses it
	value any
}

// setConstants sets the constants of the recording and, if g is not nil, of a group.
// kernelRules enables walking kernel stacks by rules.
func setConstants(spec *ebpf.CollectionSpec, s *Settings, kernelRules bool, g *group) error {
	var v bpf.HooksVariableSpecs
	if err := spec.Assign(&v); err != nil {
		return err
	}
	constants := append(scopeConstants(&v, &s.Scope), recordingConstants(&v, s, kernelRules)...)
	if g != nil {
		fetches, err := encodeFetches(g.fetch)
		if err != nil {
			return err
		}
		constants = append(constants, constant{v.Fetches, fetches}, constant{v.FetchCount, uint32(len(g.fetch))})
		constants = append(constants, stackConstants(&v, s, g.probe)...)
		constants = append(constants, groupConstants(&v, g)...)
		constants = append(constants, limitConstants(&v, &g.probe.Limits)...)
	}
	for _, c := range constants {
		if c.v == nil {
			continue
		}
		if err := c.v.Set(c.value); err != nil {
			return err
		}
	}
	return nil
}

// scopeConstants returns the part of the scope that is not in maps.
func scopeConstants(v *bpf.HooksVariableSpecs, s *Scope) []constant {
	var scope uint32
	for bit, limited := range map[uint32]bool{
		bpf.ScopePIDs: len(s.PIDs) > 0, bpf.ScopeTIDs: len(s.TIDs) > 0, bpf.ScopeUIDs: len(s.UIDs) > 0, bpf.ScopeCPUs: len(s.CPUs) > 0,
		bpf.ScopeComms: len(s.Comms) > 0, bpf.ScopeExceptComms: len(s.Except) > 0, bpf.ScopeCgroups: len(s.Cgroups) > 0,
	} {
		if limited {
			scope |= bit
		}
	}
	var uids [bpf.MaxUIDs]uint32
	copy(uids[:], s.UIDs)
	var cpus [bpf.MaxCPUs / 64]uint64
	for _, c := range s.CPUs {
		if c >= 0 && c < bpf.MaxCPUs {
			cpus[c/64] |= 1 << (c % 64)
		}
	}
	return []constant{
		{v.Scope, scope}, {v.ScopeUids, uids}, {v.ScopeUidCount, uint32(len(s.UIDs))}, {v.ScopeCpus, cpus},
		{v.ScopeCgroupCount, uint32(len(s.Cgroups))},
		{v.SelfPid, uint32(os.Getpid())}, {v.Follow, flag(!s.NoInherit)},
	}
}

// rawBudget is how many bytes of raw stacks each CPU may send per second.
const rawBudget = 64 << 20

// recordingConstants returns the constants that all programs share.
func recordingConstants(v *bpf.HooksVariableSpecs, s *Settings, kernelRules bool) []constant {
	return []constant{
		{v.RecordingMax, s.MaxHits}, {v.RecordingLimit, uint32(len(s.Probes))},
		{v.Exclusive, flag(Exclusive(s.Probes))},
		{v.WithRules, flag(s.UserRules())}, {v.WithKernelRules, flag(kernelRules)},
		{v.VerifyEvery, uint32(s.Stacks.VerifyEvery)}, {v.RawBudget, uint64(rawBudget)},
		{v.HaveFindVma, flag(host.HaveFindVMA())}, {v.CountMappings, flag(s.countMappings())},
		{v.HaveTaskRegs, flag(features.HaveProgramHelper(ebpf.Kprobe, asm.FnTaskPtRegs) == nil)},
	}
}

// stackConstants returns which stacks a probe's hits have.
func stackConstants(v *bpf.HooksVariableSpecs, s *Settings, p *probe.Probe) []constant {
	kernel, user := s.stacksOf(p)
	return []constant{
		{v.WithKernelStack, flag(kernel)}, {v.WithUserStack, flag(user)}, {v.MaxFrames, uint32(s.framesToTake(p))},
	}
}

// groupConstants returns the probe that hits belong to and the layout of their records.
func groupConstants(v *bpf.HooksVariableSpecs, g *group) []constant {
	p := g.probe
	var locs [bpf.MaxDataLocs]uint16
	n := copy(locs[:], p.DataLocs)
	return []constant{
		{v.ProbeIndex, uint32(g.index)}, {v.ManyProbes, flag(g.many)},
		{v.RecordSize, uint32(p.RecordSize)}, {v.DataLocCount, uint32(n)}, {v.DataLocs, locs},
		{v.FetchEnd, uint32(p.RecordSize)}, {v.MarksAt, uint32(p.MarksAt)},
		{v.DurationAt, uint32(p.DurationAt)}, {v.DurationMark, uint32(p.DurationMark)},
		{v.PoppedAtReturn, g.poppedAtReturn()}, {v.GoroutineCalls, flag(p.Entry != 0)},
	}
}

// limitConstants returns how many of a probe's hits are recorded.
func limitConstants(v *bpf.HooksVariableSpecs, l *probe.Limits) []constant {
	interval, burst := rate(l.Rate)
	return []constant{
		{v.SampleEvery, uint32(l.Every)}, {v.ProbeMax, l.Max}, {v.RateInterval, interval}, {v.RateBurst, burst},
	}
}

// rate returns the average interval between hits and how much earlier one may come, in
// ns. The hits of a tenth of a second may come at once.
func rate(hits uint64) (interval, burst uint64) {
	if hits == 0 {
		return 0, 0
	}
	interval = (event.MaxRate + hits - 1) / hits
	return interval, max(hits/10, 1)*interval - interval
}

func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
