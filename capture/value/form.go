package value

import (
	"fmt"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
)

// defaultText is how many bytes of text are kept unless the event says otherwise.
const defaultText = 256

// maxText is the longest text that a record has room for, with some other arguments.
const maxText = 2048

// A valueForm is what an argument is asked to be recorded as.
type valueForm struct {
	kind  formKind
	typ   format.FieldType // formNumber
	size  int              // bytes of a number
	count int              // elements of an array; 0: it is none
	bits  int              // formBits: how many, beginning at shift, of size bytes
	shift int
	space layout.Space  // memory that the value or the text lies in; NoMemory: what is usual
	max   int           // limit of text and bytes
	from  *layout.Fetch // formBytes: their length; nil: max
}

type formKind uint8

const (
	formOwn formKind = iota // as the type says
	formNumber
	formBits
	formText
	formBytes
	formSymbol
	formIPv4
	formIPv6
	formPort
	formSockaddr
	formErrno
	formEnum   // numbers by the names of the own type
	formStruct // the members of the own type, one by one
)

// form says how a value is to be recorded as a type.
func (s *Scope) form(t *event.Type) (valueForm, error) {
	f := valueForm{size: int(t.Size), count: int(t.Count), max: s.ev.Modifiers.StringSize}
	if f.max == 0 {
		f.max = defaultText
	}
	if f.max > maxText {
		return f, fmt.Errorf("at most %d bytes of text are kept of an argument", maxText)
	}
	if t.User {
		f.space = layout.UserMemory
	}
	switch t.Kind {
	case event.TypeDefault:
		f.kind = formOwn
	case event.TypeUint, event.TypeInt, event.TypeHex, event.TypeBool, event.TypeChar:
		f.kind = formNumber
		f.typ = numberTypes[t.Kind]
	case event.TypeSymbol:
		f.kind = formSymbol
	case event.TypeErrno:
		f.kind = formErrno
	case event.TypeEnum:
		f.kind = formEnum
	case event.TypeIPv4:
		f.kind = formIPv4
	case event.TypeIPv6:
		f.kind = formIPv6
	case event.TypePort:
		f.kind = formPort
	case event.TypeSockaddr:
		f.kind = formSockaddr
	case event.TypeString:
		f.kind = formText
	case event.TypeBits:
		f.kind, f.bits, f.shift = formBits, int(t.Bits), int(t.BitOffset)
	case event.TypeStruct:
		f.kind = formStruct
	case event.TypeBytes:
		f.kind = formBytes
		return f, s.length(&f, t.Length)
	}
	if f.count > 0 && f.kind != formNumber {
		return f, fmt.Errorf("arrays of %s cannot be recorded: name one element", t)
	}
	return f, nil
}

var numberTypes = map[event.TypeKind]format.FieldType{event.TypeUint: format.FieldUint, event.TypeInt: format.FieldInt,
	event.TypeHex: format.FieldHex, event.TypeBool: format.FieldBool, event.TypeChar: format.FieldChar}

// length resolves the length of bytes: a constant, or a value.
func (s *Scope) length(f *valueForm, e *event.Expr) error {
	if e.Op == event.OpConstant {
		if e.Offset < 1 || e.Offset > maxText {
			return fmt.Errorf("from 1 to %d bytes can be recorded", maxText)
		}
		f.max = int(e.Offset)
		return nil
	}
	at, err := s.locate(e)
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
