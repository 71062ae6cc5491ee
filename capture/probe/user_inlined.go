package probe

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"trapline/format"
	"trapline/internal/symbol"
)

// inlinedCalls finds where calls of a function were inlined. Without debug
// information there are none to be found.
func (b *binaryFile) inlinedCalls(ev *Event) ([]symbol.Place, error) {
	var places []symbol.Place
	err := b.withDebugInfo(ev, func(e *symbol.ELF) (err error) {
		places, err = e.InlinedCalls(func(f string) bool {
			return f == ev.Name || mangled(f) && (sameSpelling(symbol.Demangle(f), ev.Name) || sameSpelling(symbol.DemangleName(f), ev.Name))
		})
		return err
	})
	return places, err
}

// noFunction says why a function cannot be found.
func (b *binaryFile) noFunction(ev *Event) error {
	if places, err := b.inlinedCalls(ev); err == nil && len(places) > 0 {
		return &NotFoundError{Event: ev.Text, Reason: fmt.Sprintf("%s is inlined everywhere: %s; --inlined sets the probe at %s where its code begins",
			ev.Name, callSites(places), counted(len(places), "place"))}
	}
	e := &NotFoundError{Event: ev.Text, Reason: "no such function in " + b.path.resolved, Nearest: b.nearest(ev.Name)}
	all, err := b.functions()
	switch {
	case err == nil && len(all) == 0:
		e.Reason = "no function names in " + b.path.resolved + ": it is stripped, so give a file offset or install its debug symbols"
	case b.stripped:
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
func (r *Resolver) withInlined(ev *Event, b *binaryFile, probes []Probe) ([]Probe, error) {
	if ev.Kind == format.ProbeUretprobe {
		return nil, &InvalidError{ev.Text, "--inlined: what is inlined does not return; use a uprobe"}
	}
	if ev.Offset > 0 {
		return nil, &InvalidError{ev.Text, "--inlined: inlined copies have no offsets in common"}
	}
	places, err := b.inlinedCalls(ev)
	if err != nil || len(places) == 0 {
		return probes, err
	}
	if err := onlyAtEntry(ev); err != nil {
		return nil, err
	}
	if len(probes) == 0 {
		return one(placesProbe(ev, b, ev.Name, places))
	}
	inlined, err := placesProbe(ev, b, ev.Name, places)
	if err != nil {
		return nil, err
	}
	p := &probes[0]
	if !slices.Equal(p.Fields, inlined.Fields) {
		return nil, &InvalidError{ev.Text, "--inlined: the arguments have other types where the function is inlined"}
	}
	p.Sites = append(slices.Clone(p.Places()), inlined.Sites...)
	p.Notes = append(p.Notes, "and where it is inlined: "+callSites(places))
	return probes, nil
}
