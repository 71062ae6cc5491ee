package event

import (
	"slices"

	"trapline/format"
)

// A Syntax says how events of one kind of probe are spelled, and what they may ask for.
type Syntax struct {
	Kind format.ProbeKind
	// Spellings are the words before the colon, the canonical one first.
	Spellings []string
	Form      Form
	// Words are events that are spelled without their kind, by all their names, with
	// the canonical names as values.
	Words map[string]string

	// ReturnOf is the kind of probe at the entry of the calls at whose return this kind
	// hits; ProbeUnknown: it does not hit at returns.
	ReturnOf format.ProbeKind
	// MeasuresCalls reports whether hits of an event can say how long a call took; nil:
	// those at returns can.
	MeasuresCalls func(*Event) bool

	InPrograms bool // arguments are a user program's
	Arguments  bool // hits have the function's arguments or the tracepoint's fields
	Registers  bool // hits have registers and stack words
	Offsets    bool // FUNCTION+OFFSET is allowed
	Addresses  bool // an address alone is allowed, in the kernel
}

// A Form is what follows the kind in an event.
type Form uint8

const (
	FormTracepoint     Form = iota // SYSTEM:EVENT
	FormRawTracepoint              // [MODULE:]EVENT
	FormKernelFunction             // [MODULE:]FUNCTION[+OFFSET], or an address
	FormUserFunction               // BINARY:FUNCTION[@FILE][:LINE|+OFFSET], BINARY:OFFSET, BINARY@FILE:LINE
	FormUSDT                       // BINARY:[PROVIDER:]NAME
	FormWatchpoint                 // ADDRESS:LENGTH:ACCESS
	FormTimed                      // the rest of a word: nothing, or :hz:FREQUENCY
)

// Name is the canonical spelling of the kind.
func (s *Syntax) Name() string { return s.Spellings[0] }

// AtReturn reports whether the events happen when a function returns.
func (s *Syntax) AtReturn() bool { return s.ReturnOf != format.ProbeUnknown }

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
