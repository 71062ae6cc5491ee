package probe

import (
	"fmt"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
	"trapline/internal/kallsyms"
)

const functionsChange = "not stable: kernels rename, inline and change functions"

const useTracepoints = "use tracepoints or raw tracepoints"

func init() {
	Register(&Kind{
		Syntax: event.Syntax{Kind: format.ProbeKprobe, Spellings: []string{"kprobe", "k"}, Form: event.FormKernelFunction,
			Arguments: true, Registers: true, Offsets: true, Addresses: true},
		What:      "kernel function, or an instruction in it",
		Stability: functionsChange,

		Program:   bpf.HooksProgOnRegisters,
		Exclusive: true,
		Backends:  []Backend{KprobeMulti, KprobeEvent},
		Sharing:   sharedByKprobes,
		Instead:   format.ProbeFentry,
		Needs: []Need{
			{Name: "kprobe", Backend: KprobeEvent, Config: []string{"CONFIG_KPROBES", "CONFIG_KPROBE_EVENTS"}, Source: "kprobe", Remedy: useTracepoints},
			{Name: "kprobe.multi", Backend: KprobeMulti, Config: []string{"CONFIG_FPROBE"}, Since: "5.18", Remedy: "kprobes, if available, are attached one by one"},
		},

		Resolve:  (*Resolver).resolveKprobes,
		List:     (*Resolver).listKprobes,
		ListRank: 4,
	})
	Register(&Kind{
		Syntax: event.Syntax{Kind: format.ProbeKretprobe, Spellings: []string{"kretprobe", "kr"}, Form: event.FormKernelFunction, ReturnOf: format.ProbeKprobe,
			Registers: true},
		What:      "return of a kernel function",
		Stability: functionsChange,

		Program:      bpf.HooksProgOnRegisters,
		EntryProgram: bpf.HooksProgOnCallRegisters,
		Exclusive:    true,
		Backends:     []Backend{KprobeMulti, KprobeEvent},
		Sharing:      sharedByKprobes,
		Instead:      format.ProbeFexit,
		Needs: []Need{
			{Name: "kretprobe", Backend: KprobeEvent, Config: []string{"CONFIG_KPROBES", "CONFIG_KRETPROBES", "CONFIG_KPROBE_EVENTS"}, Source: "kprobe", Remedy: useTracepoints},
		},

		Resolve: (*Resolver).resolveKprobes,
		List:    (*Resolver).listKprobes,
	})
}

// sharedByKprobes separates function entries from other offsets.
func sharedByKprobes(_ *Probe, s *Site) string { return fmt.Sprintf("%t %v", s.Offset != 0, s.Fetch) }

func (r *Resolver) resolveKprobes(ev *event.Event) ([]Probe, error) {
	ev, err := r.byFunction(ev)
	if err != nil {
		return nil, err
	}
	return r.resolveKernel(ev, r.resolveKprobe)
}

// byFunction rewrites an event at a kernel address as an offset in a function, which is
// how it is attached, checked and shown. It returns other events unchanged.
func (r *Resolver) byFunction(ev *event.Event) (*event.Event, error) {
	if ev.Name != "" {
		return ev, nil
	}
	if r.opt.Symbols == nil {
		return nil, &event.PermissionError{What: "looking for the function at " + fmt.Sprintf("0x%x", ev.Offset) + " in /proc/kallsyms", Need: "CAP_SYSLOG, or 0 in /proc/sys/kernel/kptr_restrict"}
	}
	a, ok := r.opt.Symbols.Resolve(ev.Offset)
	if !ok || a.Image == kallsyms.BPF {
		return nil, &event.NotFoundError{Event: ev.Text, Reason: "no function of the kernel is at this address"}
	}
	named := *ev
	named.Name, named.Module, named.Offset = a.Symbol, a.Name, a.SymbolOffset
	return &named, nil
}

func (r *Resolver) resolveKprobe(ev *event.Event) (*Probe, error) {
	if !r.havePMU("kprobe") {
		return nil, r.noKprobes(ev)
	}
	f, err := r.findKernelFunction(ev)
	if err != nil {
		return nil, err
	}
	if r.blacklist()[ev.Name] {
		return nil, &event.UnsupportedError{Event: ev.Text, Reason: "the kernel forbids kprobes in " + ev.Name + " (/sys/kernel/debug/kprobes/blacklist)",
			Remedy: "probe one of its callers"}
	}
	if ev.Offset > 0 && f.address != 0 {
		if size := r.functions().size(f.address); size > 0 && ev.Offset >= size {
			return nil, &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("offset 0x%x is outside the function, which ends before +0x%x", ev.Offset, size)}
		}
	}
	p := &Probe{Kind: ev.Syntax.Kind, Name: kernelProbeName(ev.Syntax, f.module, ev.Name, ev.Offset), Function: ev.Name,
		Module: f.module, Offset: ev.Offset, Address: f.address, Record: layout.Record{RecordSize: layout.CommonSize}}
	return p, r.kernel.AtKprobe(ev, f.module).Fetch(&p.Record)
}

func (r *Resolver) noKprobes(ev *event.Event) error {
	e := &event.UnsupportedError{Event: ev.Text, Feature: "kprobes", Reason: "this kernel was built without CONFIG_KPROBES", Remedy: "use a tracepoint (record -l lists them)"}
	if r.opt.BTF != nil && ev.Offset == 0 {
		e.Remedy = "use " + insteadOf(ev, ev.Module) + " or a tracepoint (record -l lists them)"
	}
	if static := r.StaticTracepoints(ev.Syntax.Kind, ev.Name); len(static) > 0 {
		e.Remedy = "use the tracepoint " + static[0] + ", which hits there too"
	}
	return e
}
