package event

import (
	"fmt"
	"strings"

	"trapline/internal/expr"
)

const maxEventText = 64 << 10 // bytes

// Parse parses one -e value in a context. Commas and braces separate several events, as
// with perf. Errors are of type [*SyntaxError] or, for predicates, [*expr.Error]. It
// accepts
//
//	[NAME=]PROBE [/PREDICATE/] [[NAME=]VALUE[:TYPE]]... [[MODIFIER,...]]
//
// in the spellings of bpftrace, perf, perf probe and ftrace, which docs/events.md lists.
func (g Grammar) Parse(c Context, text string) ([]Event, error) {
	p := parser{scanner{text: text}, g, c}
	if len(text) > maxEventText {
		return nil, &SyntaxError{Text: text[:64] + "…", Pos: maxEventText, Reason: "longer than 64 KiB"}
	}
	var events []Event
	for {
		p.skipSpace()
		var err error
		if p.peek() == '{' {
			events, err = p.group(events)
		} else {
			events, err = p.event(events, false)
		}
		if err != nil {
			return nil, err
		}
		if p.done() {
			return events, nil
		}
		p.pos++ // the comma
	}
}

// group parses {EVENT,…}. The kernel cannot group probes, so a group is a list.
func (p *parser) group(events []Event) ([]Event, error) {
	start := p.pos
	for {
		p.pos++ // the brace or comma
		p.skipSpace()
		if p.peek() == '{' {
			return nil, p.fail(p.pos, "groups do not nest")
		}
		var err error
		if events, err = p.event(events, true); err != nil {
			return nil, err
		}
		if p.done() {
			return nil, p.fail(start, "\"{\" is not closed")
		}
		if p.peek() == '}' {
			break
		}
	}
	p.pos++
	p.skipSpace()
	if !p.done() && p.peek() != ',' {
		return nil, p.fail(p.pos, "modifiers of groups are not supported")
	}
	return events, nil
}

// event parses up to the comma, the end of the group or the end of the text.
func (p *parser) event(events []Event, inGroup bool) ([]Event, error) {
	start := p.pos
	var e Event
	e.Alias = p.alias()
	if err := p.probe(&e, inGroup); err != nil {
		return nil, err
	}
	end := p.pos
	for {
		p.skipSpace()
		if p.done() || p.peek() == ',' || inGroup && p.peek() == '}' {
			break
		}
		if err := p.option(&e, inGroup); err != nil {
			return nil, err
		}
		end = p.pos
	}
	e.Text = p.text[start:end]
	return append(events, e), nil
}

// alias parses NAME= or, as with perf probe, GROUP:NAME=.
func (p *parser) alias() string {
	name, _, ok := strings.Cut(p.text[p.pos:], "=")
	if group, after, two := strings.Cut(name, ":"); ok && two && isIdentifier(group) && isIdentifier(after) && p.context != (Context{}) {
		p.pos += len(name) + 1
		return after
	}
	if !ok || !isIdentifier(name) {
		return ""
	}
	p.pos += len(name) + 1
	return name
}

// option parses what may follow the probe: a predicate, modifiers or an argument.
func (p *parser) option(e *Event, inGroup bool) error {
	switch p.peek() {
	case '/':
		return p.predicate(e)
	case '[':
		return p.modifiers(e)
	}
	at, err := p.word(inGroup, noPredicate)
	if err != nil {
		return err
	}
	return p.arg(e, at, p.text[at:p.pos])
}

// predicate parses /PREDICATE/.
func (p *parser) predicate(e *Event) error {
	start := p.pos
	end := p.predicateEnd(start, true)
	switch {
	case end < 0:
		return p.fail(start, "the predicate is not closed: expected /CONDITION/")
	case len(e.Conditions) > 0:
		return p.fail(start, "two predicates: join them by &&")
	}
	text := strings.TrimSpace(p.text[start+1 : end])
	if text == "" {
		return p.fail(start, "the predicate is empty")
	}
	p.pos = end + 1
	return e.Require(text)
}

// probe parses what follows the alias.
func (p *parser) probe(e *Event, inGroup bool) error {
	if done, err := p.ftrace(e, inGroup); done || err != nil {
		return err
	}
	at, err := p.word(inGroup, p.slashes())
	if err != nil {
		return err
	}
	text := p.text[at:p.pos]
	if text == "" {
		return p.fail(at, "expected an event, such as sched:sched_switch or uprobe:libc:malloc")
	}
	word, rest, colon := strings.Cut(text, ":")
	name := word
	if word == "p" && isFrequency(rest) {
		name = ProfileName
	}
	if syntax, canonical := p.grammar.word(name); syntax != nil {
		e.Syntax, e.Name = syntax, canonical
		return p.form(e, at+len(word), text[len(word):])
	}
	if syntax := p.grammar.Spelled(word); syntax != nil && colon {
		e.Syntax = syntax
		return p.form(e, at+len(word)+1, rest)
	}
	switch {
	case word == "mem" && colon:
		return p.perfWatchpoint(e, at+len("mem:"), rest)
	case strings.HasPrefix(word, "%") || colon && (strings.HasPrefix(word, sdtPrefix) || word == probeGroup || strings.HasPrefix(word, probeGroup+"_")):
		return p.perfProbeName(e, at, text)
	case colon && otherKinds[word] != "" && (len(word) > 2 || word == "-" || strings.Contains(rest, ":")):
		return p.fail(at, otherKinds[word])
	case p.context.Binary != "" && !isTracepointName(word, rest, colon):
		return p.perfProbeUser(e, at, text)
	case p.context.Module != "" && !isTracepointName(word, rest, colon):
		return p.perfProbeKernel(e, at, text)
	case colon:
		return p.perfTracepoint(e, at, text)
	}
	return p.fail(at, p.notAnEvent(word))
}

// notAnEvent explains what a bare word may have meant.
func (p *parser) notAnEvent(word string) string {
	if p.peek() == '/' && isIdentifier(word) || len(word) > 1 && strings.Trim(word[1:], "0123456789abcdef") == "" && word[0] == 'r' {
		return "events of a PMU must be given by name, as in cycles or cache-misses"
	}
	if i := strings.IndexAny(word, "+%@/ "); i > 0 {
		word = word[:i]
	}
	if isIdentifier(word) {
		return "no such event: for a kernel function write kprobe:" + word + ", for a program's uprobe:BINARY:" + word + " (or -x BINARY)"
	}
	return "expected KIND:… or SYSTEM:EVENT"
}

// readers parse each form.
var readers = [...]func(p *parser, e *Event, at int, text string) error{
	FormTracepoint:     (*parser).tracepoint,
	FormRawTracepoint:  (*parser).rawTracepoint,
	FormKernelFunction: (*parser).kernelFunction,
	FormUserFunction:   (*parser).userProbe,
	FormUSDT:           (*parser).usdt,
	FormWatchpoint:     (*parser).watchpoint,
	FormTimed:          (*parser).timed,
}

// form parses what follows the kind of an event.
func (p *parser) form(e *Event, at int, text string) error {
	return readers[e.Syntax.Form](p, e, at, text)
}

// Require adds a condition that must hold as well. The error is an [expr.Error].
func (e *Event) Require(condition string) error {
	parsed, err := expr.Parse(strings.TrimSpace(condition))
	if err != nil {
		return fmt.Errorf("filter of %s: %w", e.place(), err)
	}
	e.Conditions = append(e.Conditions, parsed)
	return nil
}
