package event

import (
	"slices"

	"trapline/format"
)

// A Grammar is the set of kinds that events can name.
type Grammar []*Syntax

// Spelled returns the syntax with this word before the colon, or nil.
func (g Grammar) Spelled(word string) *Syntax {
	return g.find(func(s *Syntax) bool { return slices.Contains(s.Spellings, word) })
}

// Of returns the syntax of a kind, or nil.
func (g Grammar) Of(kind format.ProbeKind) *Syntax {
	return g.find(func(s *Syntax) bool { return s.Kind == kind })
}

// atReturnOf returns the syntax of the kind that hits at the return of the calls whose
// entry another kind probes, or nil.
func (g Grammar) atReturnOf(entry format.ProbeKind) *Syntax {
	return g.find(func(s *Syntax) bool { return s.AtReturn() && s.ReturnOf == entry })
}

// word returns the syntax and the canonical name of an event that is a single word.
func (g Grammar) word(word string) (s *Syntax, canonical string) {
	s = g.find(func(s *Syntax) bool { canonical = s.Words[word]; return canonical != "" })
	return s, canonical
}

func (g Grammar) find(is func(*Syntax) bool) *Syntax {
	if i := slices.IndexFunc(g, is); i >= 0 {
		return g[i]
	}
	return nil
}
