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
		Module: f.module, Offset: ev.Offset, RecordSize: commonSize}
	s := r.functionSignature(f.module, ev.Name)
	if ev.Offset > 0 {
		s = nil // registers need not hold the arguments any more
	}
	for i := range ev.Args {
		if err := r.fetchRegister(p, ev, &ev.Args[i], s); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// fetchRegister adds an argument of a function probed through its registers.
func (r *Resolver) fetchRegister(p *Probe, ev *Event, a *Arg, s *signature) error {
	fetch := Fetch{Word: returnWord()}
	field := Field{Name: a.Name, Type: format.FieldHex, Size: 8}
	if a.Value.Op == OpReturn {
		field.Type = format.FieldInt // most often a status or a count
		if s != nil && s.result != nil {
			field = btfField(a.Name, s.result)
		}
	} else {
		if a.Value.Index >= argumentRegisters() {
			return &InvalidError{ev.Text, fmt.Sprintf("%s is not in a register: the first %d arguments can be read", a.Value.String(), argumentRegisters())}
		}
		fetch = Fetch{Word: argumentWord(a.Value.Index)}
		if s != nil && a.Value.Index < len(s.params) && s.slots == len(s.params) {
			field = btfField(a.Name, s.params[a.Value.Index].typ)
		}
	}
	p.add(a, fetch, field)
	return nil
}

// add adds an argument; field holds the type where none was asked for.
func (p *Probe) add(a *Arg, fetch Fetch, field Field) {
	if t, ok := a.Type.simple(); ok {
		field.Type, field.Size = t, uint16(a.Type.Size)
	}
	if field.Type == format.FieldString {
		fetch.As, fetch.Space, fetch.Max = FetchString, KernelMemory, defaultText
		if a.Type.User || p.inUserSpace() {
			fetch.Space = UserMemory
		}
		field.Size = 4
	} else {
		fetch.narrow(int(field.Size), field.Type == format.FieldInt, false)
	}
	p.fetched(fetch, field)
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
		Module: f.module, RecordSize: commonSize}
	for i := range ev.Args {
		if err := fetchContext(p, ev, &ev.Args[i], s); err != nil {
			return nil, err
		}
	}
	return p, nil
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

// fetchContext adds an argument of a function probed by fentry or fexit: the context
// is an array of the arguments, with the result behind them for fexit.
func fetchContext(p *Probe, ev *Event, a *Arg, s *signature) error {
	slot, field := s.slots, Field{}
	if a.Value.Op == OpReturn {
		if s.result == nil {
			return &InvalidError{ev.Text, "the function returns nothing"}
		}
		field = btfField(a.Name, s.result)
	} else {
		if a.Value.Index >= len(s.params) {
			return &InvalidError{ev.Text, fmt.Sprintf("%s does not exist: the function has %d arguments", a.Value.String(), len(s.params))}
		}
		slot = s.params[a.Value.Index].slot
		field = btfField(a.Name, s.params[a.Value.Index].typ)
	}
	if slot > maxContextWord {
		return &InvalidError{ev.Text, fmt.Sprintf("%s cannot be read: it lies behind %d slots of arguments", a.Value.String(), maxContextWord)}
	}
	p.add(a, Fetch{Word: uint8(slot)}, field)
	return nil
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
