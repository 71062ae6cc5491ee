package event

import (
	"strings"

	"trapline/internal/glob"
)

// A Context says where to look for events that consist of a function name alone, like
// perf probe's options -x and -m.
type Context struct {
	Binary string // path, soname or short library name; "" if not given
	Module string // kernel module; "" if not given
}

type parser struct {
	scanner
	grammar Grammar
	context Context
}

// slashes returns the rule for slashes in the probe that comes next.
func (p *parser) slashes() slashRule {
	word, _, colon := strings.Cut(p.text[p.pos:], ":")
	kind := p.grammar.Spelled(word)
	switch {
	case !colon || kind == nil:
		if word == "mem" && colon {
			return noPredicate
		}
		return slashRule{operator: p.context.Binary != ""}
	case kind.InPrograms:
		return slashRule{colons: 2, operator: true}
	}
	return slashRule{}
}

var noPredicate = slashRule{never: true}

// pattern checks a name that may contain globs.
func (p *parser) pattern(at int, text, what string) error {
	if text == "" {
		return p.fail(at, "empty name in a "+what)
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c == ':':
			return p.fail(at+i, "modifiers are not supported: choose stacks and rates with [stack=k,rate=100/s]")
		case c == '/':
			return p.fail(at+i, "the predicate is not closed: expected /CONDITION/")
		case !isNameByte(c) && !strings.ContainsRune(`*?[]{},-!^\`, rune(c)):
			return p.fail(at+i, "not a character of "+what+" names")
		}
	}
	if _, err := glob.Parse(text); err != nil {
		return p.fail(at, err.Error())
	}
	return nil
}
