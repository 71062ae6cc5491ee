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

// maxDescribed is the maximum number of places in a note or an error.
const maxDescribed = 6

// describePlaces names the functions that contain places: "leaf in main, leaf in other".
func describePlaces(places []symbol.Place) string {
	var list []string
	for _, p := range places {
		names := make([]string, len(p.Functions))
		for i, f := range p.Functions {
			names[i] = symbol.DemangleName(f)
		}
		if s := strings.Join(names, " in "); s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	if n := len(list) - maxDescribed; n > 0 {
		list = append(list[:maxDescribed], fmt.Sprintf("%d more", n))
	}
	return strings.Join(list, ", ")
}

// callSites describes the lines of inlined calls: "at a.c:12 in main, …".
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

// noFunction explains why a function was not found.
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
		e.Reason += ", where only exported functions have names: it is stripped, and no debug file is installed"
	}
	return e
}
