package probe

import (
	"fmt"

	"trapline/bpf"
	"trapline/format"
)

// defaultText is how many bytes of text are kept unless the event says otherwise.
const defaultText = 256

// maxText is the longest text that a record has room for, with some other arguments.
const maxText = 2048

// fetchArguments adds what an event asks for, or, where it asks for nothing, the
// parameters that are known.
func (s *scope) fetchArguments(p *Probe) error {
	if len(s.ev.Args) == 0 {
		if s.ev.Match != MatchExact {
			return nil // functions with other parameters would need programs of their own
		}
		return s.fetchAll(p)
	}
	for i := range s.ev.Args {
		a := &s.ev.Args[i]
		if err := s.fetchArgument(p, a); err != nil {
			return &InvalidError{s.ev.Text, err.Error()}
		}
	}
	return nil
}

func (s *scope) fetchArgument(p *Probe, a *Arg) error {
	if a.Value.Op == OpDuration {
		return p.fetchDuration(s.ev, a)
	}
	at, err := s.place(&a.Value)
	if err != nil {
		return err
	}
	form, err := s.form(&a.Type)
	if err != nil {
		return err
	}
	if a.Value.Op == OpReturn && form.kind == formOwn && at.typ == nil {
		at.typ = &valueType{kind: kindInteger, size: 8, signed: true} // most often a status or a count
	}
	got, err := at.capture(a.Name, form)
	if err != nil {
		return fmt.Errorf("%s %w", &a.Value, err)
	}
	return p.addAll(got)
}

// fetchAll adds all parameters that can be had, as far as there is room.
func (s *scope) fetchAll(p *Probe) error {
	form, err := s.form(&Type{})
	if err != nil {
		return err
	}
	for i := range s.params {
		param := &s.params[i]
		if param.err != nil || param.hidden {
			continue
		}
		got, err := param.at.capture(paramName(s.params, i), form)
		if err != nil || len(got) > 2 {
			continue // not asked for
		}
		if len(p.Fetch)+len(got) > bpf.MaxFetches {
			return nil
		}
		if err := p.addAll(got); err != nil {
			return err
		}
	}
	if s.result == nil || len(p.Fetch) == bpf.MaxFetches {
		return nil
	}
	at, err := s.result()
	if err != nil || at.typ == nil {
		return nil
	}
	if got, err := at.capture("retval", form); err == nil && len(got) == 1 {
		return p.addAll(got)
	}
	return nil
}

// paramName is what a parameter is called: argN without a name of its own.
func paramName(params []param, i int) string {
	name := params[i].name
	for j := range i {
		if params[j].name == name {
			name = ""
		}
	}
	if name == "" {
		return fmt.Sprintf("arg%d", i)
	}
	return name
}

// addAll adds the values of an argument. A hidden one is the length of the next.
func (p *Probe) addAll(all []captured) error {
	for _, c := range all {
		if len(p.Fetch) == bpf.MaxFetches {
			return fmt.Errorf("at most %d values can be recorded", bpf.MaxFetches)
		}
		if len(c.fetch.Steps) > bpf.MaxSteps {
			return fmt.Errorf("%s lies behind %d memory accesses, and at most %d are possible", c.field.Name, len(c.fetch.Steps), bpf.MaxSteps)
		}
		if c.fetch.Hidden {
			p.Fetch = append(p.Fetch, c.fetch)
			continue
		}
		if n := len(p.Fetch); n > 0 && p.Fetch[n-1].Hidden && c.fetch.As == FetchBytes {
			c.fetch.LengthOf = uint8(n)
		}
		p.fetched(c.fetch, c.field)
	}
	return nil
}

// form says how a value is to be recorded as a type.
func (s *scope) form(t *Type) (valueForm, error) {
	f := valueForm{size: int(t.Size), count: int(t.Count), max: s.ev.Modifiers.StringSize}
	if f.max == 0 {
		f.max = defaultText
	}
	if f.max > maxText {
		return f, fmt.Errorf("at most %d bytes of text are kept of an argument", maxText)
	}
	if t.User {
		f.space = UserMemory
	}
	f.typ, _ = t.simple()
	switch t.Kind {
	case TypeDefault:
		f.kind = formOwn
	case TypeUint, TypeInt, TypeHex, TypeBool, TypeChar:
		f.kind = formNumber
		f.typ = numberTypes[t.Kind]
	case TypeSymbol:
		f.kind = formSymbol
	case TypeErrno:
		f.kind = formErrno
	case TypeEnum:
		f.kind = formEnum
	case TypeIPv4:
		f.kind = formIPv4
	case TypeIPv6:
		f.kind = formIPv6
	case TypePort:
		f.kind = formPort
	case TypeSockaddr:
		f.kind = formSockaddr
	case TypeString:
		f.kind = formText
	case TypeBits:
		f.kind, f.bits, f.shift = formBits, int(t.Bits), int(t.BitOffset)
	case TypeStruct:
		f.kind = formStruct
	case TypeBytes:
		f.kind = formBytes
		return f, s.length(&f, t.Length)
	}
	if f.count > 0 && f.kind != formNumber {
		return f, fmt.Errorf("arrays of %s cannot be recorded: name one element", t)
	}
	return f, nil
}

var numberTypes = map[TypeKind]format.FieldType{TypeUint: format.FieldUint, TypeInt: format.FieldInt,
	TypeHex: format.FieldHex, TypeBool: format.FieldBool, TypeChar: format.FieldChar}

// length resolves the length of bytes: a constant, or a value.
func (s *scope) length(f *valueForm, e *Expr) error {
	if e.Op == OpConstant {
		if e.Offset < 1 || e.Offset > maxText {
			return fmt.Errorf("from 1 to %d bytes can be recorded", maxText)
		}
		f.max = int(e.Offset)
		return nil
	}
	at, err := s.place(e)
	if err != nil {
		return fmt.Errorf("as a length, %w", err)
	}
	length, _, err := at.scalar("")
	if err != nil {
		return fmt.Errorf("as a length, %s %w", e, err)
	}
	length.Hidden = true
	f.from = &length
	return nil
}
