package event

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

func (s *scanner) skipSpace() {
	for !s.done() && isSpace(s.peek()) {
		s.pos++
	}
}

// closers maps opening brackets to closing ones. C++ function names contain all of them.
var closers = map[byte]byte{'(': ')', '<': '>', '{': '}', '[': ']'}

// A slashRule says which slashes in a word start a predicate. Slashes in paths and in
// names of Go functions do not.
type slashRule struct {
	never    bool
	colons   int  // only after this many colons
	operator bool // only if the text up to the next slash contains a comparison
}

// predicateEnd returns the position of the slash that closes the predicate starting at
// start, or -1. Slashes in quotes and parentheses do not close it, nor do divisions. If
// divides is false, the first other slash must close it.
func (s *scanner) predicateEnd(start int, divides bool) int {
	depth := 0
	for i := start + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '"':
			n := quotedEnd(s.text[i:])
			if n == 0 {
				return -1
			}
			i += n - 1
		case '(':
			depth++
		case ')':
			depth--
		case '/':
			if depth != 0 {
				continue
			}
			if s.closesPredicate(i) {
				return i
			}
			if !divides {
				return -1
			}
		}
	}
	return -1
}

// closesPredicate distinguishes the slash that ends a predicate from a division. No
// argument starts with a digit or a parenthesis, and none is followed by an operator.
func (s *scanner) closesPredicate(slash int) bool {
	rest := s.text[slash+1:]
	if rest == "" || strings.IndexByte(",[}", rest[0]) >= 0 {
		return true
	}
	after := strings.TrimLeft(rest, " \t\r\n")
	if after == rest {
		return false
	}
	if after == "" {
		return true
	}
	if after[0] == '(' || startsWithDigit(after) {
		return false
	}
	next := strings.TrimLeft(strings.TrimLeft(after, identifierBytes+".$"), " \t\r\n")
	return next == "" || next == after || strings.IndexByte("<>!&|*/", next[0]) < 0 && !strings.HasPrefix(next, "==")
}

// startsPredicate reports whether the next slash starts a predicate.
func (s *scanner) startsPredicate(rule slashRule) bool {
	if !rule.operator {
		return true
	}
	end := s.predicateEnd(s.pos, false)
	return end >= 0 && strings.ContainsAny(s.text[s.pos+1:end], "=<>!&|~")
}

// startsModifiers reports whether the next bracket starts modifiers. Character classes
// and array indexes contain no equals sign.
func (s *scanner) startsModifiers() bool {
	inside, _, ok := strings.Cut(s.text[s.pos:], "]")
	return ok && strings.Contains(inside, "=")
}

// word advances past one word. It ends at white space, a comma, a predicate, modifiers
// or, in a group, the closing brace, unless these are quoted or in brackets.
func (s *scanner) word(inGroup bool, rule slashRule) (start int, err error) {
	start = s.pos
	colons := 0
	var open []int // positions of open brackets
	for !s.done() {
		c := s.peek()
		switch {
		case c == '"':
			if err := s.skipQuoted(); err != nil {
				return start, err
			}
			continue
		case c == '~' && len(open) == 0 && (s.pos == start || s.text[s.pos-1] == ':') && regexpEnd(s.text[s.pos:]) > 0 && s.text[s.pos+1] == '/':
			s.pos += regexpEnd(s.text[s.pos:])
			continue
		case c == '\\' && s.pos+1 < len(s.text) && s.text[s.pos+1] > ' ':
			s.pos++ // what follows is literal
		case c < 0x20 && (!isSpace(c) || len(open) > 0) || c == 0x7f:
			return start, s.fail(s.pos, "control character")
		case len(open) == 0 && (isSpace(c) || c == ',' || inGroup && c == '}'):
			return start, nil
		case c == '/' && len(open) == 0 && s.pos > start && !rule.never && colons >= rule.colons && s.startsPredicate(rule):
			return start, nil
		case c == '[' && len(open) == 0 && s.pos > start && s.startsModifiers():
			return start, nil
		case c == ':' && len(open) == 0:
			colons++
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
				return start, s.fail(s.pos, "\""+string(rune(c))+"\" closes nothing: put names that contain brackets into double quotes")
			}
			open = open[:n-1]
		}
		s.pos++
	}
	if n := len(open); n > 0 {
		return start, s.fail(open[n-1], "\""+s.text[open[n-1]:open[n-1]+1]+"\" is not closed: put names that contain brackets into double quotes")
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
		case c == '\\' && s.pos+1 < len(s.text) && s.text[s.pos+1] >= 0x20:
			s.pos++
		case c < 0x20 || c == 0x7f:
			return s.fail(s.pos, "control character")
		}
	}
	s.pos = min(s.pos, len(s.text))
	return s.fail(start, "quote is not closed")
}
