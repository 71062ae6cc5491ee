package expr

import "fmt"

// A Glob is a pattern of a whole text: * stands for any bytes, ? for any one, [a-z]
// for one of a class, [!a-z] for one outside of it, and a backslash takes the
// meaning from what follows.
//
// It is an automaton whose states are the bits of a word: bit n is set while the
// text so far can be what the first n characters of the pattern (other than *)
// stand for. So each byte of a text takes one step, whatever the pattern.
type Glob struct {
	// Steps says for each byte what becomes of the states: after it they are
	// (states & Step.Advance) << 1 | states & Step.Stay. Both are 0 for the byte 0,
	// which ends a text.
	Steps [256]Step
	// Final is the bit that is set in the states at the end of a text that matches.
	Final uint64
}

// A Step is what one byte of a text does to a [Glob]'s states.
type Step struct{ Advance, Stay uint64 }

// NewGlob reads a pattern.
func NewGlob(pattern string) (*Glob, error) {
	g := &Glob{Final: 1}
	var stay uint64
	for at := 0; at < len(pattern); {
		if pattern[at] == '*' {
			stay |= g.Final
			at++
			continue
		}
		if g.Final == 1<<MaxPattern {
			return nil, fmt.Errorf("the pattern is longer than %d characters", MaxPattern)
		}
		end, err := g.character(pattern, at)
		if err != nil {
			return nil, err
		}
		at = end
		g.Final <<= 1
	}
	for c := 1; c < 256; c++ {
		g.Steps[c].Stay = stay
	}
	g.Steps[0] = Step{}
	return g, nil
}

// character lets the bytes that the character at a place stands for advance the last
// state, and returns where the next character is.
func (g *Glob) character(pattern string, at int) (end int, err error) {
	switch c := pattern[at]; {
	case c == '?':
		for i := range g.Steps {
			g.Steps[i].Advance |= g.Final
		}
		return at + 1, nil
	case c == '[':
		return g.class(pattern, at)
	case c == '\\' && at+1 < len(pattern):
		at++
	}
	g.Steps[pattern[at]].Advance |= g.Final
	return at + 1, nil
}

func (g *Glob) class(pattern string, open int) (end int, err error) {
	var in [256]bool
	at := open + 1
	inverted := at < len(pattern) && (pattern[at] == '!' || pattern[at] == '^')
	if inverted {
		at++
	}
	for first := true; ; first = false {
		if at >= len(pattern) {
			return 0, fmt.Errorf(`the class %s is not closed: \[ stands for a bracket itself`, pattern[open:])
		}
		if pattern[at] == ']' && !first {
			break
		}
		low, high := pattern[at], pattern[at]
		if low == '\\' && at+1 < len(pattern) {
			at++
			low, high = pattern[at], pattern[at]
		}
		if at+2 < len(pattern) && pattern[at+1] == '-' && pattern[at+2] != ']' {
			at += 2
			if high = pattern[at]; high < low {
				return 0, fmt.Errorf("the range %c-%c is empty", low, high)
			}
		}
		for c := int(low); c <= int(high); c++ {
			in[c] = true
		}
		at++
	}
	for c := range in {
		if in[c] != inverted {
			g.Steps[c].Advance |= g.Final
		}
	}
	return at + 1, nil
}

// Match reports whether a text without NULs is what the pattern stands for.
func (g *Glob) Match(text []byte) bool {
	states := uint64(1)
	for _, c := range text {
		if states = (states&g.Steps[c].Advance)<<1 | states&g.Steps[c].Stay; states == 0 {
			return false
		}
	}
	return states&g.Final != 0
}
