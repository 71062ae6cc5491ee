package probe

import (
	"strings"

	"trapline/format"
)

// arg reads one argument and checks it against the event's kind.
func (p *parser) arg(e *Event, at int, text string) error {
	if e.Kind == format.ProbeTimed {
		return p.fail(at, "timed events have no arguments")
	}
	var a Arg
	if name, after, ok := strings.Cut(text, "="); ok {
		if !isIdentifier(name) {
			return p.fail(at, "not a name for an argument")
		}
		a.Name, text = name, after
		at += len(name) + 1
	}
	source, typ, typed := strings.Cut(text, ":")
	if bare, ok := strings.CutSuffix(source, "@user"); ok && !typed {
		source, typ = bare, "@user"
		a.Type.User = !e.inUserSpace()
	}
	value, err := p.expr(at, source)
	if err != nil {
		return err
	}
	if value.leaf().Op == OpConstant {
		return p.fail(at, "a number is no argument: memory at an address is @ADDRESS")
	}
	a.Value = *value
	if err := p.available(e, at, value.leaf()); err != nil {
		return err
	}
	if typed {
		at := at + len(source) + 1
		if a.Type, err = p.argType(e, at, typ); err != nil {
			return err
		}
		if a.Type.Kind == TypeBytes {
			if err := p.available(e, at, a.Type.Length.leaf()); err != nil {
				return err
			}
		}
	}
	if a.Name == "" {
		a.Name = value.defaultName(len(e.Args) + 1)
	}
	for i := range e.Args {
		if e.Args[i].Name == a.Name {
			return p.fail(at, "two arguments are called "+a.Name+": name one, as in x="+source)
		}
	}
	e.Args = append(e.Args, a)
	return nil
}

// available checks that what a value starts with exists where the event happens.
func (p *parser) available(e *Event, at int, leaf *Expr) error {
	switch leaf.Op {
	case OpReturn, OpDuration:
		if !e.atReturn() && !(leaf.Op == OpDuration && e.MeasuresCalls()) {
			return p.fail(at, leaf.String()+" exists at return only: kretprobe, fexit or uretprobe")
		}
	case OpArg, OpName:
		if e.atReturn() && e.Kind != format.ProbeFexit {
			return p.fail(at, "arguments are gone at return: take them at entry, or with fexit in the kernel")
		}
	case OpRegister, OpStack, OpStackPointer:
		switch e.Kind {
		case format.ProbeTracepoint, format.ProbeRawTracepoint, format.ProbeFentry, format.ProbeFexit:
			return p.fail(at, "there are no registers and no stack words at a "+e.Kind.String()+": take arguments by name, or use a kprobe")
		}
	}
	return nil
}
