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

// joinsVariants reports whether the variants of a function belong to its probe. They do
// not if the event depends on the function's own code. For a pattern, only requested
// values are fetched. For a single function, layout.Record.ForConditions tells whether
// conditions need more.
func joinsVariants(ev *event.Event) bool {
	return ev.Offset == 0 && len(ev.Args) == 0 && (ev.Match == event.MatchExact || !value.ConditionsFetch(ev))
}

// join adds variants to the sites of a probe and says so in its notes.
func (p *Probe) join(variants []Site) {
	if len(variants) == 0 {
		return
	}
	if p.Sites == nil {
		p.Sites = p.AllSites()
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

// leftOut counts matches that cannot be probed.
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

// note mentions them in a probe's notes.
func (l *leftOut) note(p *Probe) {
	if l.n > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%d matching functions cannot be probed; the first: %v", l.n, l.first))
	}
}
