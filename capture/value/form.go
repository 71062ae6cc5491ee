package value

import (
	"fmt"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
)

// defaultText is the default limit of text in bytes.
const defaultText = 256

// maxText is the highest limit of text in bytes. It leaves room for some other arguments.
const maxText = 2048

// A valueForm says how to record an argument.
type valueForm struct {
	kind  formKind
	typ   format.FieldType // formNumber
	size  int              // bytes of a number
	count int              // elements of an array; 0 means no array
	bits  int              // formBits: number of bits, starting at bit shift of size bytes
	shift int
	space layout.Space  // memory that the value or text is in; NoMemory means the usual one
	max   int           // maximum length of text and bytes
	from  *layout.Fetch // formBytes: the length; nil means max
}

type formKind uint8

const (
	formOwn formKind = iota // as the value's own type
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
	formEnum   // a number, shown by the names of its own type
	formStruct // the members of its own type, one by one
)

// form returns how to record a value as a type.
func (s *Scope) form(t *event.Type) (valueForm, error) {
	f := valueForm{size: int(t.Size), count: int(t.Count), max: s.ev.Modifiers.StringSize}
	if f.max == 0 {
		f.max = defaultText
	}
	if f.max > maxText {
		return f, fmt.Errorf("at most %d bytes of text are recorded per argument", maxText)
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

// length sets the length of bytes: a constant or a value.
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
