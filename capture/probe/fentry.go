package probe

import (
	"trapline/bpf"
	"trapline/format"
)

func init() {
	Register(&Kind{
		Syntax:    Syntax{Kind: format.ProbeFentry, Spellings: []string{"fentry", "f", "kfunc"}, Arguments: true},
		What:      "kernel function",
		Stability: functionsChange,

		Program:    bpf.HooksProgOnFentry,
		AttachTo:   true,
		HookFrames: 6,
		Backends:   []Backend{Trampoline},
		Needs: []Need{
			{Name: "fentry, fexit", Backend: Trampoline, Config: []string{"CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "CONFIG_DEBUG_INFO_BTF"}, Remedy: useTracepoints},
		},

		Resolve:  (*Resolver).resolveFentries,
		List:     (*Resolver).listFentry,
		ListRank: 5,
	})
	Register(&Kind{
		Syntax:    Syntax{Kind: format.ProbeFexit, Spellings: []string{"fexit", "fr", "kretfunc"}, ReturnOf: format.ProbeFentry, Arguments: true},
		What:      "return of a kernel function",
		Stability: functionsChange,

		Program:      bpf.HooksProgOnFexit,
		EntryProgram: bpf.HooksProgOnCallFentry,
		AttachTo:     true,
		HookFrames:   6,
		Backends:     []Backend{Trampoline},

		Resolve: (*Resolver).resolveFentries,
		List:    (*Resolver).listFentry,
	})
}

func (r *Resolver) resolveFentries(ev *Event) ([]Probe, error) {
	return r.resolveKernel(ev, r.resolveFentry)
}
