package probe

import (
	"fmt"
	"strings"

	"trapline/capture/event"
	"trapline/capture/value"
)

func one(p *Probe, err error) ([]Probe, error) {
	if err != nil {
		return nil, err
	}
	return []Probe{*p}, nil
}

// joinsVariants reports whether variants of functions are probed with them: not where
// what is asked for depends on the function's own code. Functions of a pattern have no
// values but those that are asked for; for others, see layout.Record.ForConditions.
func joinsVariants(ev *event.Event) bool {
	return ev.Offset == 0 && len(ev.Args) == 0 && (ev.Match == event.MatchExact || !value.ConditionsFetch(ev))
}

// join adds places of variants to a probe that has one place, and says so.
func (p *Probe) join(variants []Site) {
	if len(variants) == 0 {
		return
	}
	if p.Sites == nil {
		p.Sites = p.Places()
	}
	names := make([]string, len(variants))
	for i, s := range variants {
		if s.Fetch == nil {
			s.Fetch = value.Elsewhere(&p.Record, KindOf(p.Kind).AtReturn())
		}
		p.Sites = append(p.Sites, s)
		names[i] = s.Function
	}
	p.Notes = append(p.Notes, "with the compiler's variants "+strings.Join(names, ", "))
}

// leftOut counts what a pattern matched and cannot be probed.
type leftOut struct {
	n     int
	first error
}

func (l *leftOut) add(err error) {
	l.n++
	if l.first == nil {
		l.first = err
	}
}

// note puts it into a probe's notes.
func (l *leftOut) note(p *Probe) {
	if l.n > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%d functions that match cannot be probed; the first: %v", l.n, l.first))
	}
}
