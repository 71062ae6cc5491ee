package attach

import (
	"github.com/cilium/ebpf"

	"trapline/capture/probe"
)

// A backend is one way to have the kernel call a program.
type backend struct {
	// attach attaches a target's program to its sites. The caller must close links, even
	// after an error.
	attach func(t *target, l *links) error
	// serves reports whether to use the backend for these sites on this machine. nil
	// means always.
	serves func(sites []site) bool
	// attachType is the attach type to load programs with. AttachNone means as compiled.
	attachType ebpf.AttachType
	// tooMany rejects an event that would take many seconds to attach and detach.
	// programs counts the event's programs so far, sites those of the last one. nil means
	// never.
	tooMany func(text string, programs, sites int) error
	// explainLoad and explainAttach translate an error for the user. They return nil for
	// errors without a better explanation, and may be nil.
	explainLoad, explainAttach func(p *probe.Probe, err error) error
}

var backends = map[probe.Backend]backend{
	probe.TracepointEvent: {attach: attachTracepoints},
	probe.RawTracepoint:   {attach: attachRawTracepoint},
	probe.Trampoline: {attach: attachTrampoline, explainLoad: explainTrampolineLoad,
		tooMany: func(text string, programs, _ int) error { return tooManyPrograms(text, programs) }},
	probe.KprobeMulti: {attach: attachKprobeMulti, serves: kprobeMultiServes, attachType: ebpf.AttachTraceKprobeMulti,
		explainAttach: explainKprobe},
	probe.KprobeEvent: {attach: attachKprobes, explainAttach: explainKprobe,
		tooMany: func(text string, _, sites int) error { return tooManyLinks(text, sites) }},
	probe.UprobeMulti: {attach: attachUprobeMulti, serves: uprobeMultiServes, attachType: ebpf.AttachTraceUprobeMulti},
	probe.UprobeEvent: {attach: attachUprobes,
		tooMany: func(text string, _, sites int) error { return tooManyLinks(text, sites) }},
	probe.CounterEvent:    {attach: attachCounters, explainAttach: explainCounter},
	probe.BreakpointEvent: {attach: attachBreakpoints, explainAttach: explainBreakpoint},
}

// serving returns the backends of a kind to use for these sites, preferred first.
func serving(k *probe.Kind, sites []site) []probe.Backend {
	var list []probe.Backend
	for _, b := range k.Backends {
		if serves := backends[b].serves; serves == nil || serves(sites) {
			list = append(list, b)
		}
	}
	return list
}
