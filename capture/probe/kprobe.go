package probe

import (
	"fmt"

	"trapline/bpf"
	"trapline/format"
)

const functionsChange = "not stable: functions are renamed, inlined and changed from one kernel to the next"

const useTracepoints = "use tracepoints or raw tracepoints"

func init() {
	Register(&Kind{
		Syntax: Syntax{Kind: format.ProbeKprobe, Spellings: []string{"kprobe", "k"},
			Arguments: true, Registers: true, Offsets: true, Addresses: true},
		What:      "kernel function, or an instruction in it",
		Stability: functionsChange,

		Program:   bpf.HooksProgOnRegisters,
		Exclusive: true,
		Backends:  []Backend{KprobeMulti, KprobeEvent},
		Sharing:   sharedByKprobes,
		Needs: []Need{
			{Name: "kprobe", Backend: KprobeEvent, Config: []string{"CONFIG_KPROBES", "CONFIG_KPROBE_EVENTS"}, Source: "kprobe", Remedy: useTracepoints},
			{Name: "kprobe.multi", Backend: KprobeMulti, Config: []string{"CONFIG_FPROBE"}, Since: "5.18", Remedy: "kprobes, where there are any, are attached one by one"},
		},

		Resolve:  (*Resolver).resolveKprobes,
		List:     (*Resolver).listKprobes,
		ListRank: 4,
	})
	Register(&Kind{
		Syntax: Syntax{Kind: format.ProbeKretprobe, Spellings: []string{"kretprobe", "kr"}, ReturnOf: format.ProbeKprobe,
			Registers: true},
		What:      "return of a kernel function",
		Stability: functionsChange,

		Program:      bpf.HooksProgOnRegisters,
		EntryProgram: bpf.HooksProgOnCallRegisters,
		Exclusive:    true,
		Backends:     []Backend{KprobeMulti, KprobeEvent},
		Sharing:      sharedByKprobes,
		Needs: []Need{
			{Name: "kretprobe", Backend: KprobeEvent, Config: []string{"CONFIG_KPROBES", "CONFIG_KRETPROBES", "CONFIG_KPROBE_EVENTS"}, Source: "kprobe", Remedy: useTracepoints},
		},

		Resolve: (*Resolver).resolveKprobes,
		List:    (*Resolver).listKprobes,
	})
}

// sharedByKprobes: one program serves functions at their entry, another one those at
// offsets.
func sharedByKprobes(_ *Probe, s *Site) string { return fmt.Sprintf("%t %v", s.Offset != 0, s.Fetch) }

func (r *Resolver) resolveKprobes(ev *Event) ([]Probe, error) {
	return r.resolveKernel(ev, r.resolveKprobe)
}
