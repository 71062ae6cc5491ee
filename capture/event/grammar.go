package event

import (
	"slices"

	"trapline/format"
)

// A Grammar is the kinds of probes that events can name.
type Grammar []*Syntax

// Spelled returns the syntax that a word before a colon names; nil: none.
func (g Grammar) Spelled(word string) *Syntax {
	return g.find(func(s *Syntax) bool { return slices.Contains(s.Spellings, word) })
}

// Of returns the syntax of a kind; nil: none.
func (g Grammar) Of(kind format.ProbeKind) *Syntax {
	return g.find(func(s *Syntax) bool { return s.Kind == kind })
}

// AtReturnOf returns the syntax of the kind at the return of the calls at whose entry
// another kind hits; nil: none.
func (g Grammar) AtReturnOf(entry format.ProbeKind) *Syntax {
	return g.find(func(s *Syntax) bool { return s.AtReturn() && s.ReturnOf == entry })
}

// word returns the syntax and the canonical name of an event that is one word.
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
