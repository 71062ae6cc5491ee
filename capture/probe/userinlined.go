package probe

import (
	"slices"

	"trapline/capture/event"
	"trapline/capture/program"
)

// withInlined adds the places where a function was inlined to its probe, or returns a
// probe of these places alone.
func (r *Resolver) withInlined(ev *event.Event, b *program.File, probes []Probe) ([]Probe, error) {
	if ev.Syntax.AtReturn() {
		return nil, &event.InvalidError{Event: ev.Text, Reason: "--inlined: inlined functions do not return; use a uprobe"}
	}
	if ev.Offset > 0 {
		return nil, &event.InvalidError{Event: ev.Text, Reason: "--inlined: inlined copies have no offsets in common"}
	}
	places, err := b.InlinedCalls(ev.Name)
	if err != nil || len(places) == 0 {
		return probes, event.About(ev.Text, err)
	}
	if err := onlyAtEntry(ev); err != nil {
		return nil, err
	}
	if len(probes) == 0 {
		return one(r.placesProbe(ev, b, ev.Name, places))
	}
	inlined, err := r.placesProbe(ev, b, ev.Name, places)
	if err != nil {
		return nil, err
	}
	p := &probes[0]
	if !slices.Equal(p.Fields, inlined.Fields) {
		return nil, &event.InvalidError{Event: ev.Text, Reason: "--inlined: the arguments have other types where the function is inlined"}
	}
	p.Sites = append(slices.Clone(p.AllSites()), inlined.Sites...)
	p.Notes = append(p.Notes, "and where it is inlined: "+callSites(places))
	return probes, nil
}
