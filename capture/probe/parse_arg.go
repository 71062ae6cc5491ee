package probe

import (
	"strconv"
	"strings"

	"trapline/format"
)

// maxArgIndex bounds what is worth asking a function for.
const maxArgIndex = 31

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
