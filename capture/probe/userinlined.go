package probe

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"trapline/capture/event"
	"trapline/capture/program"
	"trapline/internal/symbol"
)

// noFunction says why a function cannot be found.
func noFunction(ev *event.Event, b *program.File) error {
	if places, err := b.InlinedCalls(ev.Name); err == nil && len(places) > 0 {
		return &event.NotFoundError{Event: ev.Text, Reason: fmt.Sprintf("%s is inlined everywhere: %s; --inlined sets the probe at %s where its code begins",
			ev.Name, callSites(places), event.Counted(len(places), "place"))}
	}
	e := &event.NotFoundError{Event: ev.Text, Reason: "no such function in " + b.Path.Resolved, Nearest: b.Nearest(ev.Name)}
	all, err := b.Functions()
	switch {
	case err == nil && len(all) == 0:
		e.Reason = "no function names in " + b.Path.Resolved + ": it is stripped, so give a file offset or install its debug symbols"
	case b.Stripped:
		e.Reason += ", of which only the functions that it exports have names: it is stripped, and no debug file of it is installed"
	}
	return e
}

// callSites names the lines of calls: "at a.c:12 in main, …".
func callSites(places []symbol.Place) string {
	var list []string
	for _, p := range places {
		s := fmt.Sprintf("at %s:%d", path.Base(p.File), p.Line)
		if len(p.Functions) > 1 {
			s += " in " + symbol.DemangleName(p.Functions[1])
		}
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	if n := len(list) - maxDescribed; n > 0 {
		list = append(list[:maxDescribed], fmt.Sprintf("and %d more", n))
	}
	return strings.Join(list, ", ")
}

// withInlined adds the places where calls of a function were inlined to its probe, or
// makes a probe of them alone.
func (r *Resolver) withInlined(ev *event.Event, b *program.File, probes []Probe) ([]Probe, error) {
	if ev.Syntax.AtReturn() {
		return nil, &event.InvalidError{Event: ev.Text, Reason: "--inlined: what is inlined does not return; use a uprobe"}
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
	p.Sites = append(slices.Clone(p.Places()), inlined.Sites...)
	p.Notes = append(p.Notes, "and where it is inlined: "+callSites(places))
	return probes, nil
}
