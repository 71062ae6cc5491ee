package analysis

import (
	"cmp"
	"encoding/hex"
	"strconv"
	"strings"

	"trapline/format"
)

// A Field is one argument of the hits of a probe.
type Field struct {
	Name  string
	Type  format.FieldType
	Count int         // number of elements: 1, or the length of a fixed array
	Names *ValueNames // nil if numbers have no names

	size   int // bytes of one element; 0 for strings and bytes
	column int // first column in the shape
	mark   int // bit in the marks: the index of the field in the shape
}

// ValueNames maps numbers of an argument to names.
type ValueNames struct {
	names map[uint64]string
}

// Name returns the name of a number.
func (n *ValueNames) Name(v uint64) (string, bool) {
	if n == nil {
		return "", false
	}
	name, ok := n.names[v]
	return name, ok
}

// parseValueNames parses VALUE=NAME pairs separated by spaces. It skips anything
// else.
func parseValueNames(text string) *ValueNames {
	n := &ValueNames{names: make(map[uint64]string)}
	for pair := range strings.FieldsSeq(text) {
		digits, name, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		if v, err := strconv.ParseInt(digits, 10, 64); err == nil {
			n.names[uint64(v)] = name
		} else if v, err := strconv.ParseUint(digits, 10, 64); err == nil {
			n.names[v] = name
		}
	}
	return n
}

// A ValueState says how much of an argument was recorded.
type ValueState uint8

const (
	ValueWhole  ValueState = iota
	ValueUnread            // the memory could not be read
	ValueCut               // only the beginning of the text was recorded
)

// A Value is one argument of a hit.
type Value struct {
	Field   *Field   // nil if the probe has no such argument
	Number  uint64   // the first element; signed numbers are sign-extended
	Numbers []uint64 // all elements of a fixed array; nil otherwise
	Text    string   // of strings and bytes, as recorded
	Symbol  *Call    // of FieldSymbol; nil if the address was not captured
	State   ValueState
}

// String returns the value as reports print it, or "-" if the probe has no such
// argument. Text is unescaped: the caller must make it safe for a terminal.
func (v Value) String() string {
	switch {
	case v.Field == nil:
		return "-"
	case v.State == ValueUnread:
		return unreadText
	}
	if v.Numbers == nil {
		return v.element(v.Number)
	}
	var b strings.Builder
	b.WriteByte('[')
	for i, n := range v.Numbers {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(v.element(n))
	}
	b.WriteByte(']')
	return b.String()
}

// suffix marks text that was cut.
func (s ValueState) suffix() string {
	if s == ValueCut {
		return "…"
	}
	return ""
}

// unreadText is what ftrace prints for such values.
const unreadText = "(fault)"

func (v Value) element(n uint64) string {
	if name, ok := v.Field.Names.Name(n); ok {
		return name
	}
	switch v.Field.Type {
	case format.FieldInt:
		return strconv.FormatInt(int64(n), 10)
	case format.FieldHex, format.FieldPointer:
		return "0x" + strconv.FormatUint(n, 16)
	case format.FieldBool:
		return strconv.FormatBool(n != 0)
	case format.FieldChar:
		if n >= 0x20 && n < 0x7f {
			return "'" + string(rune(n)) + "'"
		}
		return strconv.FormatUint(n, 10)
	case format.FieldString:
		return v.Text + v.State.suffix()
	case format.FieldBytes:
		return hex.EncodeToString([]byte(v.Text)) + v.State.suffix()
	case format.FieldSymbol:
		if v.Symbol == nil {
			return "0x0"
		}
		return v.Symbol.NameOffset()
	}
	return strconv.FormatUint(n, 10)
}

// Numeric reports whether the value is a number that can be added up and sorted by
// size.
func (v Value) Numeric() bool {
	if v.Field == nil || v.Numbers != nil || v.State == ValueUnread {
		return false
	}
	switch v.Field.Type {
	case format.FieldString, format.FieldBytes, format.FieldSymbol:
		return false
	}
	return true
}

// Compare orders values of one argument: numbers by size, others by text, and
// absent values first.
func (v Value) Compare(w Value) int {
	if v.Numeric() && w.Numeric() && v.Field.Type == w.Field.Type {
		if v.Field.Type == format.FieldInt {
			return cmp.Compare(int64(v.Number), int64(w.Number))
		}
		return cmp.Compare(v.Number, w.Number)
	}
	switch {
	case v.Field == nil && w.Field == nil:
		return 0
	case v.Field == nil:
		return -1
	case w.Field == nil:
		return 1
	}
	return strings.Compare(v.String(), w.String())
}

// JSON returns the value for encoding/json: numbers and booleans (even named ones),
// arrays of them, and text for all other types. It returns nil if the probe has no
// such argument or it could not be read.
func (v Value) JSON() any {
	if v.Field == nil || v.State == ValueUnread {
		return nil
	}
	if v.Numbers == nil {
		return v.jsonElement(v.Number)
	}
	list := make([]any, len(v.Numbers))
	for i, n := range v.Numbers {
		list[i] = v.jsonElement(n)
	}
	return list
}

func (v Value) jsonElement(n uint64) any {
	switch v.Field.Type {
	case format.FieldUint:
		return n
	case format.FieldInt:
		return int64(n)
	case format.FieldBool:
		return n != 0
	}
	return v.element(n)
}
