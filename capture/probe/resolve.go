package probe

import (
	"fmt"
	"slices"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
)

// Resolve returns the probes of an event, sorted by name. Errors are of type
// [event.NotFoundError], [event.InvalidError], [event.UnsupportedError],
// [event.PermissionError] or, for conditions, [expr.Error]; or they report a file that
// cannot be read.
func (r *Resolver) Resolve(ev event.Event) ([]Probe, error) {
	if d := ev.Modifiers.MinDuration; d > 0 {
		ev.Conditions = slices.Clone(ev.Conditions)
		if err := ev.Require(fmt.Sprintf("duration >= %dns", d.Nanoseconds())); err != nil {
			return nil, err
		}
	}
	probes, err := r.resolve(&ev)
	if err != nil {
		return nil, err
	}
	for i := range probes {
		if err := probes[i].finish(&ev); err != nil {
			return nil, err
		}
	}
	if ev.Alias != "" && len(probes) > 0 {
		if len(probes) > 1 {
			return nil, &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("%d probes match, and the name %s= is for one", len(probes), ev.Alias)}
		}
		probes[0].Name = ev.Alias
	}
	return probes, nil
}

// finish lays out the record of a probe and applies the event's conditions and modifiers.
func (p *Probe) finish(ev *event.Event) (err error) {
	p.Event = ev.Text
	if err := p.layOut(); err != nil {
		return &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
	p.limit(ev.Modifiers)
	p.Filter, err = p.NewFilter(p.Name, ev.Conditions)
	return err
}

func (p *Probe) layOut() error {
	var sites [][]layout.Fetch
	for _, s := range p.AllSites() {
		sites = append(sites, s.Fetch)
	}
	return p.Record.LayOut(sites...)
}

func (r *Resolver) resolve(ev *event.Event) ([]Probe, error) {
	if made := asTracepoint(ev); made != nil && r.tracefs.Has(made.System, made.Name) {
		ev = made
	}
	if len(ev.Args) > bpf.MaxFetches {
		return nil, &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("at most %d arguments can be recorded", bpf.MaxFetches)}
	}
	k := KindOf(ev.Syntax.Kind)
	if k == nil {
		return nil, &event.InvalidError{Event: ev.Text, Reason: "events of kind " + ev.Syntax.Name() + " cannot be probed"}
	}
	return k.Resolve(r, ev)
}

// limit applies the modifiers of an event. The kernel itself samples the hits of some
// kinds.
func (p *Probe) limit(m event.Modifiers) {
	p.Stack, p.Depth = m.Stack, m.Depth
	p.Limits = Limits{Every: m.Every, Rate: m.Rate, Max: m.Max}
	if KindOf(p.Kind).Sampled && m.Every > 0 {
		p.PerfPeriod, p.Frequency, p.Limits.Every = m.Every, 0, 0
	}
}
