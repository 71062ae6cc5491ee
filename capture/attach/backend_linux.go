package attach

import (
	"github.com/cilium/ebpf"

	"trapline/capture/probe"
)

// A backend is one way to have the kernel call a program.
type backend struct {
	// attach attaches a target's program to its sites. links then has what is to be
	// closed, also after an error.
	attach func(t *target, l *links) error
	// serves reports whether the backend is to be used for these sites on this
	// machine; nil: always.
	serves func(sites []site) bool
	// attachType is what programs are loaded with; AttachNone: as they were compiled.
	attachType ebpf.AttachType
	// tooMany refuses an event that would take many seconds to attach and detach: so
	// many programs of it so far, the last of them with so many sites. nil: no event.
	tooMany func(text string, programs, sites int) error
	// What an error means, in the user's terms; the functions return nil if they do
	// not know. nil: there is nothing to know.
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

// serving returns those of a kind's backends that are to be used for sites, the
// preferred one first.
func serving(k *probe.Kind, sites []site) []probe.Backend {
	var list []probe.Backend
	for _, b := range k.Backends {
		if serves := backends[b].serves; serves == nil || serves(sites) {
			list = append(list, b)
		}
	}
	return list
}
