package probe

import (
	"strings"

	"github.com/cilium/ebpf/btf"

	"trapline/bpf"
	"trapline/format"
)

func init() {
	Register(&Kind{
		Syntax:    Syntax{Kind: format.ProbeRawTracepoint, Spellings: []string{"rawtracepoint", "rt"}, Arguments: true},
		What:      "static tracepoint, with the kernel's own arguments",
		Stability: "its name is stable, the arguments and their types are the kernel's own",
		Cost:      88,

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

// The kernel describes each tracepoint by a typedef of its callbacks' type:
// __DECLARE_TRACE_COMMON and __BPF_DECLARE_TRACE in include/trace/bpf_probe.h.
const rawTracepointPrefix = "btf_trace_"

// resolveRawTracepoints returns the raw tracepoints of a name or pattern.
func (r *Resolver) resolveRawTracepoints(ev *Event) ([]Probe, error) {
	if ev.Match == MatchExact || r.opt.BTF == nil {
		return one(r.resolveRawTracepoint(ev))
	}
	match, err := newMatcher(ev.Match, ev.Name)
	if err != nil {
		return nil, &InvalidError{ev.Text, err.Error()}
	}
	var probes []Probe
	for _, name := range r.btfNames().rawTracepoints {
		if !match(name) {
			continue
		}
		named := *ev
		named.Name, named.Match = name, MatchExact
		p, err := r.resolveRawTracepoint(&named)
		if err != nil {
			return nil, err
		}
		probes = append(probes, *p)
	}
	if len(probes) == 0 {
		return nil, &NotFoundError{Event: ev.Text, Reason: "no raw tracepoint matches"}
	}
	return probes, nil
}

func (r *Resolver) resolveRawTracepoint(ev *Event) (*Probe, error) {
	if r.opt.BTF == nil {
		return nil, &UnsupportedError{ev.Text, "raw tracepoints", "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF), which gives their arguments' types",
			"use a tracepoint, SYSTEM:" + ev.Name}
	}
	s := r.rawTracepoint(ev.Name)
	if s == nil {
		e := &NotFoundError{Event: ev.Text, Reason: "no such raw tracepoint"}
		near := newNearest(ev.Name)
		for _, name := range r.btfNames().rawTracepoints {
			near.add(name)
		}
		e.Nearest = near.names()
		return nil, e
	}
	p := &Probe{Kind: format.ProbeRawTracepoint, Name: "rawtracepoint:" + ev.Name, Function: ev.Name, RecordSize: commonSize}
	sc := s.scope(ev)
	r.kernelNames(sc, "")
	return p, sc.fetchArguments(p)
}

// rawTracepoint finds a raw tracepoint's arguments; nil when there is none of the name.
func (r *Resolver) rawTracepoint(name string) *signature {
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
	// The first parameter is the callback's own data. Function types have no names
	// of parameters; the function that iterates over the callbacks has them.
	args := *proto
	args.Params = append([]btf.FuncParam(nil), proto.Params[1:]...)
	if named := r.functionSignature("", "__traceiter_"+name); named != nil && len(named.params) == len(proto.Params) {
		for i := range args.Params {
			args.Params[i].Name = named.params[i+1].name
		}
	}
	return newSignature(&args)
}

func rawTracepointName(t btf.Type) (string, bool) {
	if d, ok := t.(*btf.Typedef); ok {
		return strings.CutPrefix(d.Name, rawTracepointPrefix)
	}
	return "", false
}

// eachBTFType calls yield with all types of the kernel that decode.
func (r *Resolver) eachBTFType(yield func(btf.Type)) {
	if r.opt.BTF == nil {
		return
	}
	for t, err := range r.opt.BTF.All() {
		if err != nil {
			return
		}
		yield(t)
	}
}
