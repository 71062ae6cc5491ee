package probe

import (
	"strconv"
	"strings"

	"trapline/format"
)

// An Event is one event as the user asked for it.
type Event struct {
	Kind      format.ProbeKind
	Text      string // as given
	Alias     string // name for the probe; "" none
	System    string // tracepoint group; may hold globs
	Name      string // tracepoint (may hold globs), function, or timed event; "" when Offset is a file offset
	Module    string // kernel module; "" any
	Binary    string // uprobes: path, soname or short library name
	Offset    uint64 // bytes from the function, or in the file when Name is ""
	Frequency uint64 // timed events: hits per second; 0 the default
	Args      []Arg
}

// An ArgSource is where an argument comes from.
type ArgSource uint8

const (
	ArgIndex  ArgSource = iota // argN of the function, N from 0
	ArgReturn                  // retval
)

// An Arg is one argument that was asked for.
type Arg struct {
	Name   string // as given, else argN or retval
	Source ArgSource
	Index  int // ArgIndex: from 0
	Type   format.FieldType
	Size   uint8 // bytes; 0 with FieldUint: no type was given
	User   bool  // FieldString: in user memory
}

// typed reports whether a type was given.
func (a *Arg) typed() bool { return a.Size != 0 || a.Type != format.FieldUint }

// profileName is the timed event that takes its frequency from its spelling.
const profileName = "profile"

// String returns the canonical spelling. Parsing it gives the same event, but for Text.
func (e Event) String() string {
	var b strings.Builder
	if e.Alias != "" {
		b.WriteString(e.Alias + "=")
	}
	switch e.Kind {
	case format.ProbeTimed:
		b.WriteString(e.Name)
		if e.Name == profileName {
			b.WriteString(":hz:" + strconv.FormatUint(e.Frequency, 10))
		}
	case format.ProbeTracepoint:
		b.WriteString("tracepoint:" + e.System + ":" + e.Name)
	case format.ProbeUprobe, format.ProbeUretprobe:
		b.WriteString(e.Kind.String() + ":" + quote(e.Binary, false) + ":")
		if e.Name == "" {
			b.WriteString("0x" + strconv.FormatUint(e.Offset, 16))
			break
		}
		b.WriteString(quote(e.Name, true))
		e.writeOffset(&b)
	default:
		b.WriteString(e.Kind.String() + ":")
		if e.Module != "" {
			b.WriteString(e.Module + ":")
		}
		b.WriteString(e.Name)
		e.writeOffset(&b)
	}
	for i := range e.Args {
		b.WriteByte(' ')
		e.writeArg(&b, &e.Args[i])
	}
	return b.String()
}

func (e *Event) writeOffset(b *strings.Builder) {
	if e.Offset != 0 {
		b.WriteString("+0x" + strconv.FormatUint(e.Offset, 16))
	}
}

func (e *Event) writeArg(b *strings.Builder, a *Arg) {
	source := a.source()
	if a.Name != source {
		b.WriteString(a.Name + "=")
	}
	b.WriteString(source)
	if !a.typed() {
		return
	}
	b.WriteByte(':')
	if a.Type == format.FieldString && a.User && !e.inUserSpace() {
		b.WriteString("ustring")
		return
	}
	b.WriteString(typeName(a.Type, a.Size))
}

// source returns how the argument's origin is spelled, which is also its default name.
func (a *Arg) source() string {
	if a.Source == ArgReturn {
		return "retval"
	}
	return "arg" + strconv.Itoa(a.Index)
}

// inUserSpace reports whether the event's arguments are a user program's.
func (e *Event) inUserSpace() bool {
	return e.Kind == format.ProbeUprobe || e.Kind == format.ProbeUretprobe
}

// atReturn reports whether the event happens when a function returns.
func (e *Event) atReturn() bool {
	switch e.Kind {
	case format.ProbeKretprobe, format.ProbeFexit, format.ProbeUretprobe:
		return true
	}
	return false
}

// quote puts a binary's or a function's name into quotes when the grammar would
// take it apart otherwise.
func quote(s string, function bool) string {
	special := " \t\"'\\,:;|=(){}<>[]"
	if function {
		special += "+/*?"
	}
	if s != "" && !strings.ContainsAny(s, special) && !(function && startsWithDigit(s)) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// argTypes are the spellings of types.
var argTypes = []struct {
	name string
	typ  format.FieldType
	size uint8
}{
	{"u8", format.FieldUint, 1}, {"u16", format.FieldUint, 2}, {"u32", format.FieldUint, 4}, {"u64", format.FieldUint, 8},
	{"s8", format.FieldInt, 1}, {"s16", format.FieldInt, 2}, {"s32", format.FieldInt, 4}, {"s64", format.FieldInt, 8},
	{"x8", format.FieldHex, 1}, {"x16", format.FieldHex, 2}, {"x32", format.FieldHex, 4}, {"x64", format.FieldHex, 8},
	{"char", format.FieldChar, 1},
	{"bool", format.FieldBool, 1},
	{"string", format.FieldString, 0},
	{"symbol", format.FieldSymbol, 8},
}

func typeName(t format.FieldType, size uint8) string {
	for _, a := range argTypes {
		if a.typ == t && a.size == size {
			return a.name
		}
	}
	return "type " + strconv.Itoa(int(t))
}
