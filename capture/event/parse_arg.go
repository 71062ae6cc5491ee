package event

import "strings"

// arg parses one argument and checks it against the event's kind.
func (p *parser) arg(e *Event, at int, text string) error {
	if !e.Syntax.Arguments && !e.Syntax.AtReturn() {
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
		a.Type.User = !e.Syntax.InPrograms
	}
	value, err := p.expr(at, source)
	if err != nil {
		return err
	}
	if value.Leaf().Op == OpConstant {
		return p.fail(at, "a number is not an argument: for memory at an address write @ADDRESS")
	}
	a.Value = *value
	if err := p.available(e, at, value.Leaf()); err != nil {
		return err
	}
	if typed {
		at := at + len(source) + 1
		if a.Type, err = p.argType(e, at, typ); err != nil {
			return err
		}
		if a.Type.Kind == TypeBytes {
			if err := p.available(e, at, a.Type.Length.Leaf()); err != nil {
				return err
			}
		}
	}
	if a.Name == "" {
		a.Name = value.defaultName(len(e.Args) + 1)
	}
	for i := range e.Args {
		if e.Args[i].Name == a.Name {
			return p.fail(at, "two arguments are named "+a.Name+": rename one, as in x="+source)
		}
	}
	e.Args = append(e.Args, a)
	return nil
}

// available checks that the start of a value exists at the event's probes.
func (p *parser) available(e *Event, at int, leaf *Expr) error {
	switch leaf.Op {
	case OpReturn, OpDuration:
		if !e.Syntax.AtReturn() && !(leaf.Op == OpDuration && e.MeasuresCalls()) {
			return p.fail(at, leaf.String()+" exists only at returns: kretprobe, fexit or uretprobe")
		}
	case OpArg, OpName:
		if !e.Syntax.Arguments {
			return p.fail(at, "arguments are gone at the return: record them at the entry, or use fexit in the kernel")
		}
	case OpRegister, OpStack, OpStackPointer:
		if !e.Syntax.Registers {
			return p.fail(at, "a "+e.Syntax.Name()+" has no registers and no stack words: record arguments by name, or use a kprobe")
		}
	}
	return nil
}

// ParseValue parses the spelling of an argument's value.
func ParseValue(text string) (*Expr, error) {
	return (&parser{scanner: scanner{text: text}}).expr(0, text)
}
