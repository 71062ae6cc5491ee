package probe

import (
	"fmt"

	"trapline/format"
)

func (r *Resolver) resolveKprobe(ev *Event) (*Probe, error) {
	if !r.havePMU("kprobe") {
		return nil, r.noKprobes(ev)
	}
	f, err := r.findKernelFunction(ev)
	if err != nil {
		return nil, err
	}
	if r.blacklist()[ev.Name] {
		return nil, &UnsupportedError{ev.Text, "", "the kernel forbids kprobes in " + ev.Name + " (/sys/kernel/debug/kprobes/blacklist)",
			"probe a caller of it"}
	}
	if ev.Offset > 0 && f.address != 0 {
		if size := r.functions().size(f.address); size > 0 && ev.Offset >= size {
			return nil, &InvalidError{ev.Text, fmt.Sprintf("offset 0x%x is outside the function, which ends before +0x%x", ev.Offset, size)}
		}
	}
	p := &Probe{Kind: ev.Kind, Name: kernelProbeName(ev.Kind, f.module, ev.Name, ev.Offset), Function: ev.Name,
		Module: f.module, Offset: ev.Offset, Address: f.address, RecordSize: commonSize}
	return p, r.registerScope(ev, f.module).fetchArguments(p)
}

func (r *Resolver) noKprobes(ev *Event) error {
	e := &UnsupportedError{ev.Text, "kprobes", "this kernel was built without CONFIG_KPROBES", "use a tracepoint (record -l lists them)"}
	if r.opt.BTF != nil && ev.Offset == 0 {
		kind := format.ProbeFentry
		if ev.Kind == format.ProbeKretprobe {
			kind = format.ProbeFexit
		}
		e.Remedy = "use " + kernelProbeName(kind, ev.Module, ev.Name, 0) + " or a tracepoint (record -l lists them)"
	}
	if static := r.StaticTracepoints(ev.Kind, ev.Name); len(static) > 0 {
		e.Remedy = "use the tracepoint " + static[0] + ", which hits there too"
	}
	return e
}

func (r *Resolver) resolveFentry(ev *Event) (*Probe, error) {
	if r.opt.BTF == nil {
		e := &UnsupportedError{ev.Text, ev.Kind.String(), "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)", "use a tracepoint (record -l lists them)"}
		if r.havePMU("kprobe") {
			kind := format.ProbeKprobe
			if ev.Kind == format.ProbeFexit {
				kind = format.ProbeKretprobe
			}
			e.Remedy = "use " + kernelProbeName(kind, ev.Module, ev.Name, 0)
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
	p := &Probe{Kind: ev.Kind, Name: kernelProbeName(ev.Kind, f.module, ev.Name, 0), Function: name,
		Module: f.module, Address: f.address, RecordSize: commonSize}
	sc := s.scope(ev)
	r.kernelNames(sc, name)
	return p, sc.fetchArguments(p)
}

// describedName returns a function's name in BTF, which may know it by another of its
// names, and its signature; nil when BTF knows none.
func (r *Resolver) describedName(f kernelFunction, name string) (string, *signature) {
	if s := r.functionSignature(f.module, name); s != nil || f.address == 0 {
		return name, s
	}
	for _, alias := range r.functions().names(f) {
		if s := r.functionSignature(f.module, alias); s != nil {
			return alias, s
		}
	}
	return name, nil
}

// notTraceable says why a function takes no fentry, and offers a kprobe where there are any.
func (r *Resolver) notTraceable(ev *Event, module, reason string) error {
	e := &UnsupportedError{ev.Text, "", reason, ""}
	if r.havePMU("kprobe") && !r.blacklist()[ev.Name] {
		kind := format.ProbeKprobe
		if ev.Kind == format.ProbeFexit {
			kind = format.ProbeKretprobe
		}
		e.Remedy = "use " + kernelProbeName(kind, module, ev.Name, 0)
	}
	return e
}

// kernelProbeName spells a probe of a kernel function.
func kernelProbeName(kind format.ProbeKind, module, function string, offset uint64) string {
	name := kind.String() + ":"
	if module != "" {
		name += module + ":"
	}
	name += function
	if offset > 0 {
		name += fmt.Sprintf("+0x%x", offset)
	}
	return name
}
