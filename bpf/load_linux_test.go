package bpf

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"trapline/internal/testenv"
)

// A loadedProgram is a program to load: what it attaches to, if that is part of loading,
// and how many values it fetches.
type loadedProgram struct {
	name, attach string
	fetches      int
}

var loadedPrograms = []loadedProgram{
	{HooksProgOnTracepoint, "", 0}, {HooksProgOnTimed, "", 0},
	{HooksProgOnTracepoint, "", MaxFetches - 1}, {HooksProgOnRegisters, "", MaxFetches - 1},
	{HooksProgOnRawTracepoint, "sched_switch", MaxFetches - 1},
	{HooksProgOnFentry, "vfs_read", MaxFetches - 1}, {HooksProgOnFexit, "vfs_read", MaxFetches - 1},
	{HooksProgOnCallTracepoint, "", 0}, {HooksProgOnCallRegisters, "", 0}, {HooksProgOnCallFentry, "vfs_read", 0},
	{HooksProgOnFork, "sched_process_fork", 0}, {HooksProgOnExit, "sched_process_exit", 0},
}

// TestProgramsLoad loads every program with the constants that enable the most code:
// stacks, arguments, a predicate and every kind of scope.
func TestProgramsLoad(t *testing.T) {
	testenv.Root(t)
	programs := loadedPrograms
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kernel.AnyTypeByName("btf_trace_vma_store"); err == nil { // since Linux 6.1
		programs = append(slices.Clone(programs), loadedProgram{HooksProgOnMapping, "vma_store", 0})
	}
	for _, p := range programs {
		t.Run(fmt.Sprintf("%s_%d", p.name, p.fetches), func(t *testing.T) {
			if p.name == HooksProgOnFentry || p.name == HooksProgOnFexit || p.name == HooksProgOnCallFentry {
				testenv.Fentry(t)
			}
			p.load(t)
		})
	}
}

func (p *loadedProgram) load(t *testing.T) {
	t.Helper()
	spec, err := LoadHooks()
	if err != nil {
		t.Fatal(err)
	}
	var specs HooksSpecs
	if err := spec.Assign(&specs); err != nil {
		t.Fatal(err)
	}
	for other := range spec.Programs {
		if other != p.name {
			delete(spec.Programs, other)
		}
	}
	spec.Programs[p.name].AttachTo = p.attach
	p.enableAll(t, &specs)
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{
		Programs: ebpf.ProgramOptions{LogLevel: ebpf.LogLevelStats}})
	if err != nil {
		var ve *ebpf.VerifierError
		if errors.As(err, &ve) {
			t.Fatalf("%+v", ve)
		}
		t.Fatal(err)
	}
	defer coll.Close()
	t.Logf("%s", coll.Programs[p.name].VerifierLog)
}

// enableAll sets the constants.
func (p *loadedProgram) enableAll(t *testing.T, specs *HooksSpecs) {
	t.Helper()
	for _, v := range []struct {
		v     *ebpf.VariableSpec
		value any
	}{
		{specs.Scope, uint32(ScopePIDs | ScopeTIDs | ScopeUIDs | ScopeCPUs | ScopeComms | ScopeExceptComms | ScopeCgroups)},
		{specs.ScopeUidCount, uint32(MaxUIDs)}, {specs.ScopeCgroupCount, uint32(MaxCgroups)}, {specs.Follow, uint32(1)}, {specs.WithFilter, uint32(1)},
		{specs.DurationAt, uint32(8)}, {specs.GoroutineCalls, uint32(1)},
		{specs.SampleEvery, uint32(10)}, {specs.RateInterval, uint64(1000)}, {specs.RateBurst, uint64(1000)},
		{specs.ProbeMax, uint64(10)}, {specs.RecordingMax, uint64(10)},
		{specs.WithKernelStack, uint32(1)}, {specs.WithUserStack, uint32(1)}, {specs.HaveFindVma, uint32(1)}, {specs.HaveTaskRegs, uint32(1)}, {specs.CountMappings, uint32(1)},
		{specs.WithRules, uint32(1)}, {specs.WithKernelRules, uint32(1)}, {specs.VerifyEvery, uint32(1)}, {specs.RawBudget, uint64(1 << 20)},
		{specs.RecordSize, uint32(64)}, {specs.DataLocCount, uint32(2)}, {specs.DataLocs, [8]uint16{8, 12}},
		{specs.FetchCount, uint32(p.fetches)}, {specs.Fetches, everyFetch(p.name)}, {specs.FetchEnd, uint32(8 + 8*MaxFetches)},
		{specs.MarksAt, uint32(8 * MaxFetches)},
	} {
		if err := v.v.Set(v.value); err != nil {
			t.Fatal(err)
		}
	}
}

// everyFetch returns fetches of every kind with as many memory accesses as possible:
// the most work for the verifier.
func everyFetch(program string) (fetches [MaxFetches]HooksFetch) {
	for i := range fetches {
		f := &fetches[i]
		*f = HooksFetch{Base: uint8(i % 4), Word: uint8(i % 2), Steps: MaxSteps, As: uint8(3 - i/4%4), Space: uint8(1 + i%2),
			Flags: uint8(i % 4), Right: 32, At: uint16(8 + 8*i), Max: 200, Mark: uint8(i)}
		if f.Base == 0 && program == HooksProgOnTracepoint {
			f.Base = 3 // programs may not load the first 8 bytes of a trace record
		}
		if f.As == 1 { // a block of the size of its slot
			f.Max = 8
		}
		if f.As == 3 && i > 0 {
			f.LengthAt = 8
		}
		for k := range f.Step {
			f.Step[k].Add, f.Step[k].Space, f.Step[k].Size = int32(8*k), uint8(1+k%2), 8
		}
	}
	return fetches
}
