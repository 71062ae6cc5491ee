package probe

import (
	"strconv"
	"strings"

	"trapline/format"
)

const (
	maxEventText = 64 << 10 // bytes
	maxArgIndex  = 31       // bounds what is worth asking a function for
)

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
		return p.fail(at+strings.IndexByte(text, '/'), "filters are not supported")
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

func (p *parser) kernelFunction(e *Event, at int, text string) error {
	if module, function, ok := strings.Cut(text, ":"); ok {
		e.Module = module
		for i := range len(module) {
			if !isNameByte(module[i]) && module[i] != '-' {
				return p.fail(at+i, "not a character of module names")
			}
		}
		if module == "" {
			return p.fail(at, "empty module name")
		}
		at, text = at+len(module)+1, function
	}
	name, err := p.cutOffset(e, at, text)
	if err != nil {
		return err
	}
	if startsWithDigit(name) {
		return p.fail(at, "addresses cannot be probed: write FUNCTION+OFFSET")
	}
	e.Name = name
	return p.kernelName(at, name, "a kernel function")
}

// cutOffset takes +OFFSET off the end of a function's name.
func (p *parser) cutOffset(e *Event, at int, text string) (string, error) {
	plus := strings.LastIndexByte(text, '+')
	if plus < 0 || plus+1 < len(text) && !startsWithDigit(text[plus+1:]) || plus+1 == len(text) && e.inUserSpace() {
		return text, nil // operator+, operator++
	}
	offset, ok := parseNumber(text[plus+1:])
	if !ok {
		return "", p.fail(at+plus+1, "not an offset: expected a number, such as 16 or 0x10")
	}
	if offset != 0 && e.Kind != format.ProbeKprobe && e.Kind != format.ProbeUprobe {
		return "", p.fail(at+plus, e.Kind.String()+" takes no offset")
	}
	e.Offset = offset
	return text[:plus], nil
}

func (p *parser) kernelName(at int, name, what string) error {
	if name == "" {
		return p.fail(at, "expected the name of "+what)
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c == ':':
			return p.fail(at+i, "modifiers are not supported")
		case c == '/':
			return p.fail(at+i, "filters are not supported")
		case strings.IndexByte("*?[{", c) >= 0:
			return p.fail(at+i, "globs are supported in tracepoints only")
		case !isNameByte(c):
			return p.fail(at+i, "not a character of names of "+strings.TrimPrefix(what, "a ")+"s")
		}
	}
	return nil
}

func (p *parser) userFunction(e *Event, at int, text string) error {
	end := quotedEnd(text)
	if end == 0 {
		if end = strings.IndexByte(text, ':'); end < 0 {
			end = len(text)
		}
	}
	e.Binary, _ = unquote(text[:end])
	if e.Binary == "" {
		return p.fail(at, "expected a program or library")
	}
	function, ok := strings.CutPrefix(text[end:], ":")
	if !ok {
		return p.fail(at+end, "expected \":\" and a function or a file offset")
	}
	at += end + 1
	if function == "" {
		return p.fail(at, "expected a function or a file offset")
	}
	if startsWithDigit(function) {
		offset, ok := parseNumber(function)
		if !ok {
			return p.fail(at, "not a file offset: expected a number, such as 0x1040")
		}
		e.Offset = offset
		return nil
	}
	quotes := quotedEnd(function)
	rest, err := p.cutOffset(e, at+quotes, function[quotes:])
	if err != nil {
		return err
	}
	if quotes > 0 {
		if rest != "" {
			return p.fail(at+quotes, "expected +OFFSET or the end of the probe")
		}
		if e.Name, _ = unquote(function[:quotes]); e.Name == "" {
			return p.fail(at, "expected a function")
		}
		return nil
	}
	if rest == "" {
		return p.fail(at, "expected a function")
	}
	if i := strings.IndexAny(rest, "*?"); i >= 0 && !strings.Contains(rest, "(") {
		return p.fail(at+i, "globs are supported in tracepoints only")
	}
	if i := strings.IndexByte(rest, '"'); i >= 0 {
		return p.fail(at+i, "quotes must stand around the whole name")
	}
	e.Name = rest
	return nil
}

// arg reads one argument and checks it against the event's kind.
func (p *parser) arg(e *Event, at int, text string) error {
	switch {
	case text[0] == '/':
		return p.fail(at, "filters are not supported")
	case text[0] == '[':
		return p.fail(at, "modifiers are not supported")
	}
	var a Arg
	source := text
	if name, after, ok := strings.Cut(text, "="); ok {
		if !isIdentifier(name) {
			return p.fail(at, "not a name for an argument")
		}
		a.Name, source = name, after
		at += len(name) + 1
	}
	source, typ, typed := strings.Cut(source, ":")
	if err := p.argSource(e, &a, at, source); err != nil {
		return err
	}
	if typed {
		if err := p.argType(e, &a, at+len(source)+1, typ); err != nil {
			return err
		}
	}
	if a.Name == "" {
		a.Name = a.source()
	}
	for i := range e.Args {
		if e.Args[i].Name == a.Name {
			return p.fail(at, "two arguments are called "+a.Name+": name one, as in x="+source)
		}
	}
	e.Args = append(e.Args, a)
	return nil
}

func (p *parser) argSource(e *Event, a *Arg, at int, source string) error {
	switch e.Kind {
	case format.ProbeTracepoint, format.ProbeRawTracepoint:
		return p.fail(at, "tracepoints take no arguments: all of their fields are recorded")
	case format.ProbeTimed:
		return p.fail(at, "timed events have no arguments")
	}
	if source == "retval" {
		if !e.atReturn() {
			return p.fail(at, "retval exists at return only: kretprobe, fexit or uretprobe")
		}
		a.Source = ArgReturn
		return nil
	}
	digits, ok := strings.CutPrefix(source, "arg")
	n, numeric := parseNumber(digits)
	if !ok || !numeric || strings.HasPrefix(digits, "0x") {
		return p.fail(at, "expected argN or retval, as in arg0:u32")
	}
	if n > maxArgIndex {
		return p.fail(at, "arguments count from arg0 to arg"+strconv.Itoa(maxArgIndex))
	}
	if e.atReturn() && e.Kind != format.ProbeFexit {
		return p.fail(at, "arguments are gone at return: take them at entry, or with fexit in the kernel")
	}
	a.Index = int(n)
	return nil
}

func (p *parser) argType(e *Event, a *Arg, at int, typ string) error {
	if typ == "ustring" {
		a.Type, a.User = format.FieldString, true
		return nil
	}
	for _, t := range argTypes {
		if t.name != typ {
			continue
		}
		if t.typ == format.FieldSymbol && e.inUserSpace() {
			return p.fail(at, "symbol names kernel code, which a program's argument does not point to")
		}
		a.Type, a.Size = t.typ, t.size
		a.User = t.typ == format.FieldString && e.inUserSpace()
		return nil
	}
	return p.fail(at, "no such type: u8 to u64, s8 to s64, x8 to x64, char, bool, string, ustring and symbol exist")
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
