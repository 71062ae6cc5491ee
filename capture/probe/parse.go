package probe

import (
	"strconv"
	"strings"

	"trapline/format"
)

const maxEventText = 64 << 10 // bytes

// Parse reads one -e value. Commas and braces give several events, as with perf;
// errors are of type [*SyntaxError]. It accepts
//
//	[NAME=]PROBE [[NAME=]argN[:TYPE] | [NAME=]retval[:TYPE]]...
//
// where PROBE is one of
//
//	SYSTEM:EVENT  tracepoint|t:SYSTEM:EVENT    globs * ? [a-z] {a,b} in both
//	rawtracepoint|rt:EVENT
//	kprobe|k:[MODULE:]FUNCTION[+OFFSET]        kretprobe|kr:[MODULE:]FUNCTION
//	fentry|f:[MODULE:]FUNCTION                 fexit|fr:[MODULE:]FUNCTION
//	uprobe|u:BINARY:FUNCTION[+OFFSET]          uprobe|u:BINARY:FILE_OFFSET
//	uretprobe|ur:BINARY:FUNCTION
//	cpu-clock, cycles and other perf events    profile:hz:FREQUENCY
//
// and TYPE is u8 to u64, s8 to s64, x8 to x64, char, bool, string, ustring or
// symbol. Names of binaries and user functions may stand in double quotes.
func Parse(text string) ([]Event, error) {
	p := parser{scanner{text: text}}
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

type parser struct{ scanner }

// group reads {EVENT,…}. The kernel has no group for probes: it is a list.
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

// event reads up to the comma, the group's brace or the end.
func (p *parser) event(events []Event, inGroup bool) ([]Event, error) {
	start, err := p.word(inGroup)
	if err != nil {
		return nil, err
	}
	if p.pos == start {
		return nil, p.fail(start, "expected an event, such as sched:sched_switch or uprobe:libc:malloc")
	}
	var e Event
	at := start
	if name, _, ok := strings.Cut(p.text[start:p.pos], "="); ok && isIdentifier(name) {
		e.Alias = name
		at += len(name) + 1
	}
	if err := p.probe(&e, at, p.text[at:p.pos]); err != nil {
		return nil, err
	}
	end := p.pos
	for {
		p.skipSpace()
		if p.done() || p.peek() == ',' || inGroup && p.peek() == '}' {
			break
		}
		at, err := p.word(inGroup)
		if err != nil {
			return nil, err
		}
		if err := p.arg(&e, at, p.text[at:p.pos]); err != nil {
			return nil, err
		}
		end = p.pos
	}
	e.Text = p.text[start:end]
	return append(events, e), nil
}

// probe reads what follows the alias. at is its position in the text.
func (p *parser) probe(e *Event, at int, text string) error {
	if n := len(text); n > 1 && text[n-1] == '/' {
		return p.fail(at+max(0, strings.LastIndexByte(text[:n-1], '/')), "filters are not supported")
	}
	word, rest, colon := strings.Cut(text, ":")
	kind, known := kindNames[word]
	timed, isTimed := findTimed(word)
	switch {
	case isTimed:
		return p.timed(e, timed, at+len(word), text[len(word):])
	case !colon:
		if i := strings.IndexAny(word, "+%@/ "); i > 0 {
			word = word[:i]
		}
		if isIdentifier(word) {
			return p.fail(at, "no such event: kernel functions are kprobe:"+word+", those of programs uprobe:BINARY:"+word)
		}
		return p.fail(at, "expected KIND:… or SYSTEM:EVENT")
	case !known && (word == "usdt" || word == "U"):
		return p.fail(at, "usdt probes are not supported")
	case !known:
		return p.tracepoint(e, at, text)
	}
	at += len(word) + 1
	e.Kind = kind
	switch kind {
	case format.ProbeTracepoint:
		return p.tracepoint(e, at, rest)
	case format.ProbeRawTracepoint:
		e.Name = rest
		return p.kernelName(at, rest, "a raw tracepoint")
	case format.ProbeUprobe, format.ProbeUretprobe:
		return p.userFunction(e, at, rest)
	}
	return p.kernelFunction(e, at, rest)
}

func (p *parser) timed(e *Event, t timedEvent, at int, rest string) error {
	e.Kind, e.Name = format.ProbeTimed, t.name
	if t.name != profileName {
		if rest != "" {
			return p.fail(at, "modifiers are not supported")
		}
		return nil
	}
	digits, ok := strings.CutPrefix(rest, ":hz:")
	if !ok {
		return p.fail(at, "expected profile:hz:FREQUENCY")
	}
	hz, ok := parseNumber(digits)
	if !ok || hz == 0 || hz > 1e6 {
		return p.fail(at+len(":hz:"), "frequency must be a number from 1 to 1000000")
	}
	e.Frequency = hz
	return nil
}

func (p *parser) tracepoint(e *Event, at int, text string) error {
	system, name, ok := strings.Cut(text, ":")
	if !ok {
		return p.fail(at, "expected SYSTEM:EVENT")
	}
	e.Kind, e.System, e.Name = format.ProbeTracepoint, system, name
	for _, part := range []struct {
		at   int
		text string
	}{{at, system}, {at + len(system) + 1, name}} {
		if part.text == "" {
			return p.fail(part.at, "empty name in a tracepoint")
		}
		for i := range len(part.text) {
			switch c := part.text[i]; {
			case c == ':':
				return p.fail(part.at+i, "modifiers are not supported")
			case c == '/':
				return p.fail(part.at+i, "filters are not supported")
			case !isNameByte(c) && !strings.ContainsRune("*?[]{},-^", rune(c)):
				return p.fail(part.at+i, "not a character of tracepoint names")
			}
		}
		if _, err := newGlob(part.text); err != nil {
			return p.fail(part.at, err.Error())
		}
	}
	return nil
}

// parseNumber reads a decimal number or one with 0x.
func parseNumber(s string) (uint64, bool) {
	base := 10
	if digits, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = digits, 16
	}
	if strings.HasPrefix(s, "+") {
		return 0, false
	}
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil
}

// isNameByte reports whether kernel symbols and tracepoints may hold a character.
func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '$'
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) || s[i] == '.' || s[i] == '$' {
			return false
		}
	}
	return s != "" && !startsWithDigit(s)
}
