package glob

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits on one pattern, since each pair of braces multiplies its alternatives.
const (
	maxAlternatives = 256
	maxLength       = 1024 // bytes
)

var errTooLarge = fmt.Errorf("the pattern is longer than %d bytes or has more than %d alternatives", maxLength, maxAlternatives)

// Parse reads a pattern.
func Parse(text string) (*Pattern, error) {
	switch {
	case len(text) > maxLength:
		return nil, errTooLarge
	case !utf8.ValidString(text):
		return nil, errors.New("a pattern must be UTF-8")
	case strings.IndexByte(text, 0) >= 0:
		return nil, errors.New("a pattern cannot contain NUL")
	}
	r := reader{text: text}
	alternatives, err := r.sequence(false)
	if err != nil {
		return nil, err
	}
	return &Pattern{text, alternatives}, nil
}

// MustParse is like [Parse] but panics if the pattern is malformed. It is for patterns
// that are constants.
func MustParse(text string) *Pattern {
	p, err := Parse(text)
	if err != nil {
		panic(fmt.Sprintf("glob: %q: %v", text, err))
	}
	return p
}

// A reader parses a pattern from left to right.
type reader struct {
	text string
	at   int
}

// sequence reads elements up to the end of the text or, in braces, up to a comma or the
// closing brace.
func (r *reader) sequence(inBraces bool) ([]alternative, error) {
	sequence := []alternative{nil}
	for r.at < len(r.text) {
		c := r.text[r.at]
		switch {
		case c == '{':
			choices, err := r.braces()
			if err != nil {
				return nil, err
			}
			if sequence, err = product(sequence, choices); err != nil {
				return nil, err
			}
			continue
		case c == '}' && !inBraces:
			return nil, errors.New(`there is no "{" for this "}": \} stands for a brace itself`)
		case c == '}' || c == ',' && inBraces:
			return sequence, nil
		}
		e, err := r.element()
		if err != nil {
			return nil, err
		}
		for i := range sequence {
			sequence[i] = sequence[i].with(e)
		}
	}
	if inBraces {
		return nil, errors.New(`"{" is not closed: \{ stands for a brace itself`)
	}
	return sequence, nil
}

// braces reads {a,b} and returns the alternatives of all its parts.
func (r *reader) braces() (choices []alternative, err error) {
	for {
		r.at++ // the brace or comma
		part, err := r.sequence(true)
		if err != nil {
			return nil, err
		}
		if choices = append(choices, part...); len(choices) > maxAlternatives {
			return nil, errTooLarge
		}
		if r.text[r.at] == '}' {
			r.at++
			return choices, nil
		}
	}
}

// product returns each of the first alternatives followed by each of the second.
func product(first, second []alternative) ([]alternative, error) {
	if len(first)*len(second) > maxAlternatives {
		return nil, errTooLarge
	}
	all := make([]alternative, 0, len(first)*len(second))
	for _, a := range first {
		for _, b := range second {
			joined := append(alternative(nil), a...)
			for _, e := range b {
				joined = joined.with(e)
			}
			all = append(all, joined)
		}
	}
	return all, nil
}

// with appends an element, dropping a star after a star.
func (a alternative) with(e element) alternative {
	if e.kind == elementStar && len(a) > 0 && a[len(a)-1].kind == elementStar {
		return a
	}
	return append(a, e)
}

// element reads what is no brace.
func (r *reader) element() (element, error) {
	c := r.text[r.at]
	switch c {
	case '*':
		r.at++
		return element{kind: elementStar}, nil
	case '?':
		r.at++
		return element{kind: elementNotSet}, nil
	case '[':
		return r.class()
	case '\\':
		if r.at++; r.at == len(r.text) {
			return element{}, errors.New(`the pattern ends in a backslash: \\ stands for a backslash itself`)
		}
		c = r.text[r.at]
	}
	r.at++
	return element{kind: elementByte, literal: c}, nil
}

// class reads [a-z] and [!a-z].
func (r *reader) class() (element, error) {
	end := classEnd(r.text, r.at)
	if end < 0 {
		return element{}, fmt.Errorf(`the brackets %s are not closed: \[ stands for a bracket itself`, r.text[r.at:])
	}
	e := element{kind: elementSet, set: new(ascii)}
	inside := r.text[r.at+1 : end]
	if inside[0] == '!' || inside[0] == '^' {
		e.kind, inside = elementNotSet, inside[1:]
	}
	for inside != "" {
		var low, high byte
		low, inside = classCharacter(inside)
		high = low
		if len(inside) > 1 && inside[0] == '-' {
			high, inside = classCharacter(inside[1:])
		}
		if low >= 0x80 || high >= 0x80 {
			return element{}, errors.New("brackets hold ASCII characters: write {ä,ö} for others")
		}
		if high < low {
			return element{}, fmt.Errorf("the range %c-%c is empty", low, high)
		}
		for c := low; c <= high; c++ {
			e.set[c] = true
		}
	}
	r.at = end + 1
	return e, nil
}

// classCharacter takes a character off the front of what brackets hold.
func classCharacter(inside string) (c byte, rest string) {
	if inside[0] == '\\' {
		inside = inside[1:]
	}
	return inside[0], inside[1:]
}

// classEnd returns where the brackets that open at a position close, -1 if they do not.
func classEnd(text string, open int) int {
	at := open + 1
	if at < len(text) && (text[at] == '!' || text[at] == '^') {
		at++
	}
	for first := true; at < len(text); first = false {
		switch {
		case text[at] == '\\':
			at++
		case text[at] == ']' && !first:
			return at
		}
		at++
	}
	return -1
}

// HasMeta reports whether a text contains characters with a meaning in patterns.
func HasMeta(text string) bool { return strings.ContainsAny(text, `*?[]{}\`) }

// Split splits a list of patterns at commas outside braces, brackets and escapes. It
// does not check the patterns.
func Split(list string) []string {
	var parts []string
	start, depth := 0, 0
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case '\\':
			i++
		case '[':
			if end := classEnd(list, i); end > 0 {
				i = end
			}
		case '{':
			depth++
		case '}':
			depth = max(0, depth-1)
		case ',':
			if depth == 0 {
				parts = append(parts, list[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, list[start:])
}
