package glob

import "fmt"

// MaxStates is the number of states of an [Automaton], one per bit of a word. An
// alternative with N characters other than stars takes N+1 states.
const MaxStates = 64

// An Automaton matches names against several patterns at once. It takes one step for
// each byte, for any patterns. Its states are the bits of a word: bit n is set while the
// elements before position n match the name so far.
type Automaton struct {
	// Steps holds the transitions for each byte: see [Automaton.Next].
	// Both masks are 0 for NUL, which ends a name.
	Steps  [256]Step
	Start  uint64 // the states before the first byte
	Accept uint64 // one of these states is set after a name that matches
}

// A Step holds the transitions of an [Automaton] for one byte: states in Advance move to
// the next bit, states in Stay remain.
type Step struct{ Advance, Stay uint64 }

// Compile returns an automaton that accepts the names that any of the patterns matches.
// If they need more than [MaxStates] states, the error is a [*TooLongError].
func Compile(patterns ...*Pattern) (*Automaton, error) {
	needed, count := 0, 0
	for _, p := range patterns {
		for _, a := range p.alternatives {
			needed += a.positions() + 1
			count++
		}
	}
	if needed > MaxStates {
		return nil, &TooLongError{Characters: needed - count, Most: max(0, MaxStates-count), Alternatives: count}
	}
	a := new(Automaton)
	state := uint64(1)
	for _, p := range patterns {
		for _, alternative := range p.alternatives {
			state = a.add(alternative, state)
		}
	}
	return a, nil
}

// add puts an alternative at a state and returns the first state after it.
func (a *Automaton) add(elements alternative, state uint64) uint64 {
	a.Start |= state
	for _, e := range elements {
		switch e.kind {
		case elementStar:
			for c := 1; c < 256; c++ {
				a.Steps[c].Stay |= state
			}
			continue
		case elementByte:
			a.Steps[e.literal].Advance |= state
		case elementSet:
			for c, in := range e.set {
				if in {
					a.Steps[c].Advance |= state
				}
			}
		case elementNotSet:
			for c := range a.Steps {
				if e.begins(byte(c)) {
					a.Steps[c].Advance |= state
				}
			}
			// The rest of the character.
			for c := range a.Steps {
				if isContinuation(byte(c)) {
					a.Steps[c].Stay |= state << 1
				}
			}
		}
		state <<= 1
	}
	a.Accept |= state
	return state << 1
}

// Next returns the states after a byte.
func (a *Automaton) Next(states uint64, c byte) uint64 {
	return (states&a.Steps[c].Advance)<<1 | states&a.Steps[c].Stay
}

// Match reports whether one of the patterns matches the whole name.
func (a *Automaton) Match(name string) bool {
	states := a.Start
	for i := range len(name) {
		if states = a.Next(states, name[i]); states == 0 {
			return false
		}
	}
	return states&a.Accept != 0
}

// A TooLongError reports patterns that need more than [MaxStates] states.
type TooLongError struct {
	Characters   int // other than stars, of all alternatives together
	Most         int // how many are possible with this number of alternatives
	Alternatives int
}

func (e *TooLongError) Error() string {
	if e.Alternatives == 1 {
		return fmt.Sprintf("the pattern has more than %d characters other than *", e.Most)
	}
	return fmt.Sprintf("the patterns have %d characters other than *, and with %d alternatives %d are possible: shorten them with *", e.Characters, e.Alternatives, e.Most)
}
