package probe

import (
	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/value"
	"trapline/format"
)

func init() {
	Register(&Kind{
		Syntax:    event.Syntax{Kind: format.ProbeFentry, Spellings: []string{"fentry", "f", "kfunc"}, Form: event.FormKernelFunction, Arguments: true},
		What:      "kernel function",
		Stability: functionsChange,

		Program:    bpf.HooksProgOnFentry,
		AttachTo:   true,
		HookFrames: 6,
		Backends:   []Backend{Trampoline},
		Instead:    format.ProbeKprobe,
		Needs: []Need{
			{Name: "fentry, fexit", Backend: Trampoline, Config: []string{"CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "CONFIG_DEBUG_INFO_BTF"}, Remedy: useTracepoints},
		},

		Resolve:  (*Resolver).resolveFentries,
		List:     (*Resolver).listFentry,
		ListRank: 5,
	})
	Register(&Kind{
		Syntax:    event.Syntax{Kind: format.ProbeFexit, Spellings: []string{"fexit", "fr", "kretfunc"}, Form: event.FormKernelFunction, ReturnOf: format.ProbeFentry, Arguments: true},
		What:      "return of a kernel function",
		Stability: functionsChange,

		Program:      bpf.HooksProgOnFexit,
		EntryProgram: bpf.HooksProgOnCallFentry,
		AttachTo:     true,
		HookFrames:   6,
		Backends:     []Backend{Trampoline},
		Instead:      format.ProbeKretprobe,

		Resolve: (*Resolver).resolveFentries,
		List:    (*Resolver).listFentry,
	})
}

func (r *Resolver) resolveFentries(ev *event.Event) ([]Probe, error) {
	return r.resolveKernel(ev, r.resolveFentry)
}

func (r *Resolver) resolveFentry(ev *event.Event) (*Probe, error) {
	if r.opt.BTF == nil {
		e := &event.UnsupportedError{Event: ev.Text, Feature: ev.Syntax.Name(), Reason: "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)", Remedy: "use a tracepoint (record -l lists them)"}
		if r.havePMU("kprobe") {
			e.Remedy = "use " + insteadOf(ev, ev.Module)
		}
		return nil, e
	}
	f, err := r.findKernelFunction(ev)
	if err != nil {
		return nil, err
	}
	if f.module == "vmlinux" {
		f.module = ""
	}
	if !r.traceable().has(ev.Name, f.address) {
		return nil, r.notTraceable(ev, f.module, "the function cannot be traced (notrace)")
	}
	name, s := r.describedName(f, ev.Name)
	if s == nil {
		return nil, r.notTraceable(ev, f.module, "BTF does not describe this function")
	}
	p := &Probe{Kind: ev.Syntax.Kind, Name: kernelProbeName(ev.Syntax, f.module, ev.Name, 0), Function: name,
		Module: f.module, Address: f.address, Record: layout.Record{RecordSize: layout.CommonSize}}
	return p, r.kernel.AtTracing(ev, s, name).Fetch(&p.Record)
}

// describedName returns the name under which BTF describes a function, which may be an
// alias, and its signature. The signature is nil if BTF does not describe the function.
func (r *Resolver) describedName(f kernelFunction, name string) (string, *value.Signature) {
	if s := r.kernel.Function(f.module, name); s != nil || f.address == 0 {
		return name, s
	}
	for _, alias := range r.functions().names(f) {
		if s := r.kernel.Function(f.module, alias); s != nil {
			return alias, s
		}
	}
	return name, nil
}

// notTraceable explains why a function cannot have an fentry probe. It suggests a kprobe
// if the kernel has kprobes.
func (r *Resolver) notTraceable(ev *event.Event, module, reason string) error {
	e := &event.UnsupportedError{Event: ev.Text, Reason: reason}
	if r.havePMU("kprobe") && !r.blacklist()[ev.Name] {
		e.Remedy = "use " + insteadOf(ev, module)
	}
	return e
}
