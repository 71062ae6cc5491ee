package bpf

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf"

	"trapline/internal/testenv"
)

// Every program must pass the verifier with stacks, arguments and every scope on:
// the constants that enable the most code.
func TestProgramsLoad(t *testing.T) {
	testenv.Root(t)
	for name, attach := range map[string]string{
		HooksProgOnTracepoint: "", HooksProgOnRawTracepoint: "sched_switch", HooksProgOnRegisters: "", HooksProgOnTimed: "",
		HooksProgOnFork: "sched_process_fork", HooksProgOnExit: "sched_process_exit",
		HooksProgOnFentry: "vfs_read", HooksProgOnFexit: "vfs_read",
	} {
		t.Run(name, func(t *testing.T) {
			if name == HooksProgOnFentry || name == HooksProgOnFexit {
				testenv.Fentry(t)
			}
			spec, err := LoadHooks()
			if err != nil {
				t.Fatal(err)
			}
			var specs HooksSpecs
			if err := spec.Assign(&specs); err != nil {
				t.Fatal(err)
			}
			for other := range spec.Programs {
				if other != name {
					delete(spec.Programs, other)
				}
			}
			spec.Programs[name].AttachTo = attach
			for _, v := range []struct {
				v     *ebpf.VariableSpec
				value any
			}{
				{specs.Scope, uint32(ScopePIDs | ScopeTIDs | ScopeUIDs | ScopeCPUs | ScopeComms | ScopeExceptComms | ScopeCgroups)},
				{specs.ScopeUidCount, uint32(MaxUIDs)}, {specs.ScopeCgroupCount, uint32(MaxCgroups)}, {specs.Follow, uint32(1)},
				{specs.SampleEvery, uint32(10)}, {specs.RateInterval, uint64(1000)}, {specs.RateBurst, uint64(1000)},
				{specs.ProbeMax, uint64(10)}, {specs.RecordingMax, uint64(10)},
				{specs.WithKernelStack, uint32(1)}, {specs.WithUserStack, uint32(1)}, {specs.HaveFindVma, uint32(1)}, {specs.HaveTaskRegs, uint32(1)},
				{specs.RecordSize, uint32(64)}, {specs.DataLocCount, uint32(2)}, {specs.DataLocs, [8]uint16{8, 12}},
				{specs.FetchCount, uint32(2)}, {specs.Fetches, [MaxFetches]HooksFetch{{Index: 0}, {Index: 2, String: 1}}},
			} {
				if err := v.v.Set(v.value); err != nil {
					t.Fatal(err)
				}
			}
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
			log := coll.Programs[name].VerifierLog
			t.Logf("%s", log)
		})
	}
}
