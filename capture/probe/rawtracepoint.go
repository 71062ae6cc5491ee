package probe

import (
	"github.com/cilium/ebpf/btf"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/value"
	"trapline/format"
	"trapline/internal/nearest"
)

func init() {
	Register(&Kind{
		Syntax:    event.Syntax{Kind: format.ProbeRawTracepoint, Spellings: []string{"rawtracepoint", "rt"}, Form: event.FormRawTracepoint, Arguments: true},
		What:      "static tracepoint, with the kernel's own arguments",
		Stability: "the name is stable, arguments and types may change with the kernel",

		Program:    bpf.HooksProgOnRawTracepoint,
		AttachTo:   true,
		HookFrames: 6,
		Backends:   []Backend{RawTracepoint},
		Needs:      []Need{{Name: "rawtracepoint", Backend: RawTracepoint, Config: []string{"CONFIG_BPF_EVENTS", "CONFIG_DEBUG_INFO_BTF"}}},

		Resolve:  (*Resolver).resolveRawTracepoints,
		List:     (*Resolver).listRawTracepoints,
		ListRank: 3,
	})
}

// resolveRawTracepoints returns the raw tracepoints that an event names or matches.
func (r *Resolver) resolveRawTracepoints(ev *event.Event) ([]Probe, error) {
	if ev.Match == event.MatchExact || r.opt.BTF == nil {
		return one(r.resolveRawTracepoint(ev))
	}
	match, err := newMatcher(ev.Match, ev.Name)
	if err != nil {
		return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
	var probes []Probe
	for _, name := range r.btfNames().rawTracepoints {
		if !match(name) {
			continue
		}
		named := *ev
		named.Name, named.Match = name, event.MatchExact
		p, err := r.resolveRawTracepoint(&named)
		if err != nil {
			return nil, err
		}
		probes = append(probes, *p)
	}
	if len(probes) == 0 {
		return nil, &event.NotFoundError{Event: ev.Text, Reason: "no raw tracepoint matches"}
	}
	return probes, nil
}

func (r *Resolver) resolveRawTracepoint(ev *event.Event) (*Probe, error) {
	if r.opt.BTF == nil {
		return nil, &event.UnsupportedError{Event: ev.Text, Feature: "raw tracepoints", Reason: "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF), which describes their arguments",
			Remedy: "use a tracepoint, SYSTEM:" + ev.Name}
	}
	s := r.rawTracepoint(ev.Name)
	if s == nil {
		e := &event.NotFoundError{Event: ev.Text, Reason: "no such raw tracepoint"}
		near := nearest.To(ev.Name)
		for _, name := range r.btfNames().rawTracepoints {
			near.Add(name)
		}
		e.Nearest = near.Names()
		return nil, e
	}
	p := &Probe{Kind: format.ProbeRawTracepoint, Name: "rawtracepoint:" + ev.Name, Function: ev.Name, Record: layout.Record{RecordSize: layout.CommonSize}}
	return p, r.kernel.AtTracing(ev, s, "").Fetch(&p.Record)
}

// rawTracepoint returns the arguments of a raw tracepoint, or nil if there is none.
func (r *Resolver) rawTracepoint(name string) *value.Signature {
	var t *btf.Typedef
	if err := r.opt.BTF.TypeByName(rawTracepointPrefix+name, &t); err != nil {
		return nil
	}
	pointer, ok := btf.UnderlyingType(t).(*btf.Pointer)
	if !ok {
		return nil
	}
	proto, ok := pointer.Target.(*btf.FuncProto)
	if !ok || len(proto.Params) == 0 {
		return nil
	}
	return r.kernel.RawTracepoint(name, proto)
}

func (r *Resolver) listRawTracepoints(k *Kind, s *Selection, yield func(Listing) bool) error {
	if r.opt.BTF == nil {
		return &event.UnsupportedError{Feature: "raw tracepoints", Reason: "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"}
	}
	for _, name := range r.btfNames().rawTracepoints {
		if !s.Match(name) {
			continue
		}
		l := Listing{Kind: k.Kind, Name: k.Name() + ":" + name}
		if s.Verbose {
			if sig := r.rawTracepoint(name); sig != nil {
				l.Fields = sig.Fields(false)
			}
		}
		if !yield(l) {
			break
		}
	}
	return nil
}
