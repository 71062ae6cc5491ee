package probe

import (
	"trapline/bpf"
	"trapline/capture/event"
	"trapline/format"
)

const asStableAsProgram = "as stable as the program: a library's exported functions are stable, internal ones are not"

func init() {
	Register(&Kind{
		Syntax: event.Syntax{Kind: format.ProbeUprobe, Spellings: []string{"uprobe", "u"}, Form: event.FormUserFunction,
			InPrograms: true, Arguments: true, Registers: true, Offsets: true},
		What:      "function of a program, or an instruction in it",
		Stability: asStableAsProgram,

		Program:  bpf.HooksProgOnRegisters,
		Backends: []Backend{UprobeMulti, UprobeEvent},
		Sharing:  sharedInProgram,
		Needs: []Need{
			{Name: "uprobe", Backend: UprobeEvent, Config: []string{"CONFIG_UPROBE_EVENTS"}, Source: "uprobe", SysAdmin: true, Remedy: "record uses uprobe.multi if the kernel has it"},
			{Name: "uprobe.multi", Backend: UprobeMulti, Config: []string{"CONFIG_UPROBE_EVENTS"}, Since: "6.6", Remedy: "uprobes are attached one by one"},
		},

		Resolve:  (*Resolver).resolveUprobes,
		List:     (*Resolver).listUserFunctions,
		ListRank: 7,
	})
	Register(&Kind{
		Syntax: event.Syntax{Kind: format.ProbeUretprobe, Spellings: []string{"uretprobe", "ur"}, Form: event.FormUserFunction, ReturnOf: format.ProbeUprobe,
			InPrograms: true, Registers: true},
		What:      "return of a program's function",
		Stability: asStableAsProgram,

		Program:      bpf.HooksProgOnRegisters,
		EntryProgram: bpf.HooksProgOnCallRegisters,
		Backends:     []Backend{UprobeMulti, UprobeEvent},
		Sharing:      sharedInProgram,

		Resolve: (*Resolver).resolveUprobes,
		List:    (*Resolver).listUserFunctions,
	})
}

func (r *Resolver) resolveUprobes(ev *event.Event) ([]Probe, error) {
	if ev.Binary == "*" {
		return r.resolveInProcess(ev)
	}
	probes, err := r.resolveUprobe(ev)
	return probes, r.hintUSDT(ev, err)
}
