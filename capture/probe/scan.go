package probe

import "strings"

// A scanner walks over the text of events and keeps the position for errors.
type scanner struct {
	text string
	pos  int
}

func (s *scanner) fail(pos int, reason string) error {
	return &SyntaxError{Text: s.text, Pos: pos, Reason: reason}
}

func (s *scanner) done() bool { return s.pos >= len(s.text) }

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.done() {
		return 0
	}
	return s.text[s.pos]
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (s *scanner) skipSpace() {
	for !s.done() && isSpace(s.peek()) {
		s.pos++
	}
}

// closers pairs brackets. Names of C++ functions hold all of them.
var closers = map[byte]byte{'(': ')', '<': '>', '{': '}', '[': ']'}

// word advances over one word: up to white space, a comma or, in a group, the
// closing brace, none of which end it inside quotes and brackets.
func (s *scanner) word(inGroup bool) (start int, err error) {
	start = s.pos
	var open []int // positions of open brackets
	for !s.done() {
		c := s.peek()
		switch {
		case c == '"':
			if err := s.skipQuoted(); err != nil {
				return start, err
			}
			continue
		case c < 0x20 && (!isSpace(c) || len(open) > 0) || c == 0x7f:
			return start, s.fail(s.pos, "control character")
		case len(open) == 0 && (isSpace(c) || c == ',' || inGroup && c == '}'):
			return start, nil
		case closers[c] != 0:
			open = append(open, s.pos)
		case c == ')' || c == '}' || c == ']' || c == '>' && len(open) > 0:
			n := len(open)
			if n > 0 && c != '>' && s.text[open[n-1]] == '<' {
				n-- // a comparison, as in f<(a<b)>
			}
			if n == 0 || closers[s.text[open[n-1]]] != c {
				if c == '>' {
					break // operator-> and operator>
				}
				return start, s.fail(s.pos, "\""+string(rune(c))+"\" closes nothing: put names that hold brackets into double quotes")
			}
			open = open[:n-1]
		}
		s.pos++
	}
	if n := len(open); n > 0 {
		return start, s.fail(open[n-1], "\""+s.text[open[n-1]:open[n-1]+1]+"\" is not closed: put names that hold brackets into double quotes")
	}
	return start, nil
}

func (s *scanner) skipQuoted() error {
	start := s.pos
	for s.pos++; !s.done(); s.pos++ {
		switch c := s.peek(); {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			s.pos++
		case c < 0x20 || c == 0x7f:
			return s.fail(s.pos, "control character")
		}
	}
	s.pos = min(s.pos, len(s.text))
	return s.fail(start, "quote is not closed")
}

// unquote returns the text of a quoted name; others as they are. The scanner has
// checked that quotes are closed.
func unquote(s string) (text string, quoted bool) {
	if len(s) < 2 || s[0] != '"' {
		return s, false
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i+1 < len(s)-1 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}

// quotedEnd returns the length of the quoted name that s starts with, 0 when it
// starts with none.
func quotedEnd(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}
