// Package glob implements the one pattern language of the project, for the names of
// probes, functions and tasks and for texts in predicates:
//
//   - any run of characters, slashes and colons included
//     ?          one character
//     [a-z0_]    one of these ASCII characters
//     [!a-z]     one character other than these; also [^a-z]
//     {a,b*}     one of these patterns
//     \x         the character x itself
//
// A pattern always matches a whole name. A ] outside brackets stands for itself, and
// so do ] as the first and - as the first or last character in brackets.
//
// Patterns are UTF-8. Names may be any bytes but NUL; a character of a name is a byte
// with the UTF-8 continuation bytes that follow it.
//
// [Parse] reads a pattern, and [Pattern.Match] matches it. [Compile] turns patterns
// into an [Automaton] that a BPF program can run. Both accept the same names.
package glob

import (
	"strings"
)

// A Pattern is a parsed pattern.
type Pattern struct {
	text         string
	alternatives []alternative
}

// An alternative is a pattern without braces.
type alternative []element

// An element matches a run of characters or one character.
type element struct {
	kind    elementKind
	literal byte   // elementByte: the byte
	set     *ascii // elementSet, elementNotSet: the characters in brackets; nil is none
}

type elementKind uint8

const (
	elementByte   elementKind = iota // one byte of a literal character
	elementSet                       // one ASCII character in the set
	elementNotSet                    // one character outside the set
	elementStar                      // any run of bytes; never two in a row
)

// ascii is a set of ASCII characters.
type ascii [128]bool

// String returns the pattern as it was parsed.
func (p *Pattern) String() string { return p.text }

// Literal returns the only name that the pattern matches, with escapes removed. ok is
// false for a pattern that can match several names.
func (p *Pattern) Literal() (name string, ok bool) {
	if len(p.alternatives) != 1 {
		return "", false
	}
	var b strings.Builder
	for _, e := range p.alternatives[0] {
		if e.kind != elementByte {
			return "", false
		}
		b.WriteByte(e.literal)
	}
	return b.String(), true
}

// Length returns the least number of bytes that a name needs to match the
// alternative that needs most: names cut to fewer bytes never match it.
func (p *Pattern) Length() int {
	longest := 0
	for _, a := range p.alternatives {
		longest = max(longest, a.positions())
	}
	return longest
}

// positions returns the number of elements other than stars.
func (a alternative) positions() int {
	n := 0
	for _, e := range a {
		if e.kind != elementStar {
			n++
		}
	}
	return n
}

// Match reports whether the pattern matches the whole name.
func (p *Pattern) Match(name string) bool {
	for _, a := range p.alternatives {
		if a.match(name) {
			return true
		}
	}
	return false
}

// match returns to the latest star whenever an element fails. Earlier stars need no
// second try: the latest one can take whatever they would.
func (a alternative) match(name string) bool {
	at, next := 0, 0            // in name, in a
	starAt, afterStar := -1, -1 // where the latest star's run ends for now, and what follows it
	for at < len(name) || next < len(a) {
		if next < len(a) {
			if a[next].kind == elementStar {
				next++
				starAt, afterStar = at, next
				continue
			}
			if size := a[next].width(name[at:]); size > 0 {
				at, next = at+size, next+1
				continue
			}
		}
		if starAt < 0 || starAt == len(name) || name[starAt] == 0 {
			return false
		}
		starAt++
		at, next = starAt, afterStar
	}
	return true
}

// width returns the number of bytes at the start of a name that an element other than
// a star matches, 0 when it does not match.
func (e element) width(name string) int {
	if name == "" {
		return 0
	}
	c := name[0]
	switch e.kind {
	case elementByte:
		if c == e.literal {
			return 1
		}
	case elementSet:
		if c < 0x80 && e.set[c] {
			return 1
		}
	case elementNotSet:
		if !e.begins(c) {
			return 0
		}
		size := 1
		for size < len(name) && isContinuation(name[size]) {
			size++
		}
		return size
	}
	return 0
}

// begins reports whether an elementNotSet matches characters that begin with a byte.
func (e element) begins(c byte) bool {
	return c != 0 && !isContinuation(c) && (e.set == nil || c >= 0x80 || !e.set[c])
}

// isContinuation reports whether a byte continues a character of UTF-8.
func isContinuation(c byte) bool { return c&0xc0 == 0x80 }
