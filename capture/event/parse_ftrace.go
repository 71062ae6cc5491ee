package event

import (
	"strings"

	"trapline/format"
)

// ftrace parses the spelling of tracefs' kprobe_events and uprobe_events,
//
//	p[:[GROUP/]NAME] PLACE    r[MAXACTIVE][:[GROUP/]NAME] PLACE
//
// where PLACE is [MODULE:]FUNCTION[+OFFSET], FUNCTION%return or FILE:OFFSET. done is
// false for other spellings. See Documentation/trace/kprobetrace.rst and
// uprobetracer.rst.
func (p *parser) ftrace(e *Event, inGroup bool) (done bool, err error) {
	start := p.pos
	letter := p.peek()
	if letter != 'p' && letter != 'r' {
		return false, nil
	}
	rest := p.text[start+1:]
	if letter == 'r' {
		rest = strings.TrimLeft(rest, "0123456789") // the number of concurrent calls is not limited here
	}
	if rest == "" || rest[0] != ':' && !isSpace(rest[0]) {
		return false, nil
	}
	word, _, _ := strings.Cut(rest[1:], ",")
	if i := strings.IndexFunc(word, func(r rune) bool { return r <= ' ' }); i >= 0 && rest[0] == ':' {
		word = word[:i]
	}
	if letter == 'p' && rest[0] == ':' && isFrequency(word) {
		return false, nil // bpftrace's p:hz:99
	}
	at := len(p.text) - len(rest)
	if p.pos = at; rest[0] == ':' {
		p.pos++
		if err := p.ftraceName(e, letter, word); err != nil {
			return true, err
		}
	}
	p.skipSpace()
	return true, p.ftracePlace(e, inGroup, letter == 'r')
}

// ftraceName parses [GROUP/]NAME. The group, a directory in tracefs, is ignored.
func (p *parser) ftraceName(e *Event, letter byte, word string) error {
	at := p.pos
	p.pos += len(word)
	if library, function, ok := strings.Cut(word, ":"); ok {
		// Spellings of bcc's tools: p:c:malloc, p::vfs_read.
		kind, hint := "kprobe", "uprobe"
		if letter == 'r' {
			kind, hint = "kretprobe", "uretprobe"
		}
		if library == "" {
			return p.fail(at, "write "+kind+":"+function+" for bcc's "+string(letter)+"::"+function)
		}
		return p.fail(at, "write "+hint+":"+word+" for bcc's "+string(letter)+":"+word+"; "+string(letter)+":NAME FUNCTION is ftrace's")
	}
	name := word
	if i := strings.IndexAny(word, "/."); i >= 0 {
		if !isIdentifier(word[:i]) {
			return p.fail(at, "not a name for a group of events")
		}
		name = word[i+1:]
	}
	if !isIdentifier(name) {
		return p.fail(at+len(word)-len(name), "not a name for an event: expected "+string(letter)+":NAME FUNCTION")
	}
	if e.Alias != "" {
		return p.fail(at, "the event has two names: "+e.Alias+" and "+name)
	}
	e.Alias = name
	return nil
}

func (p *parser) ftracePlace(e *Event, inGroup, atReturn bool) error {
	colons := 0
	if c := p.peek(); c == '/' || c == '.' || c == '"' {
		colons = 1 // a slash before the colon is part of the path
	}
	at, err := p.word(inGroup, slashRule{colons: colons})
	if err != nil {
		return err
	}
	text := p.text[at:p.pos]
	if text == "" {
		hint := "expected a function after the name: p:NAME FUNCTION"
		if e.Alias != "" {
			hint += "; for a kernel function alone write kprobe:" + e.Alias
		}
		return p.fail(at, hint)
	}
	if before, ok := strings.CutSuffix(text, "%return"); ok {
		text, atReturn = before, true
	}
	entry := format.ProbeKprobe
	if colons > 0 {
		entry = format.ProbeUprobe
	}
	if e.Syntax = p.grammar.Of(entry); atReturn {
		e.Syntax = p.grammar.atReturnOf(entry)
	}
	if colons == 0 {
		return p.kernelFunction(e, at, text)
	}
	if strings.HasSuffix(text, ")") {
		if i := strings.LastIndex(text, "("); strings.Contains(text[:i+1], ":0x") {
			return p.fail(at+i, "reference counters are found by usdt:BINARY:NAME")
		}
	}
	return p.userProbe(e, at, text)
}
