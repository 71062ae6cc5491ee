package value

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"trapline/capture/layout"
	"trapline/format"
	"trapline/internal/nearest"
)

// A location says where a value is: in memory, at the address given by fetch and add, or
// in registers, each with 8 bytes of it.
type location struct {
	typ    *valueType // nil if unknown: a word
	memory bool
	space  layout.Space // memory that the address points to, or that a pointer found here points to
	fetch  layout.Fetch
	add    int64
	pieces []layout.Fetch // registers
	exact  bool           // the only piece already has the shifts that make it a number
	bits   int            // size of a bitfield in memory; 0 means none
	shift  int            // start of the bitfield, in bits from the address
}

// inRegister returns the location of a value in words of the context.
func inRegister(t *valueType, space layout.Space, words ...uint8) location {
	l := location{typ: t, space: space}
	for _, w := range words {
		l.pieces = append(l.pieces, layout.Fetch{Word: w})
	}
	return l
}

// value returns the fetch of a word: a pointer or an untyped number.
func (l location) value() (layout.Fetch, error) {
	if !l.memory {
		if len(l.pieces) == 0 {
			return layout.Fetch{}, errOptimizedOut
		}
		if l.exact && l.pieces[0].Left != 0 {
			return layout.Fetch{}, fmt.Errorf("is not an address: it is narrower")
		}
		return l.pieces[0], nil
	}
	return l.load(8)
}

// load returns the fetch of size bytes in memory.
func (l location) load(size int) (layout.Fetch, error) {
	if l.typ != nil && l.typ.isVariable() {
		return layout.Fetch{}, errVariable
	}
	add, err := l.offset()
	f := l.fetch
	f.Steps = append(append([]layout.FetchStep(nil), f.Steps...), layout.FetchStep{Add: add, Space: l.space, Size: uint8(size)})
	return f, err
}

var errVariable = errors.New("has variable length: it can only be recorded as it is, without a type or further steps")

func (l location) offset() (int32, error) {
	if l.add < math.MinInt32 || l.add > math.MaxInt32 {
		return 0, fmt.Errorf("offset %d is too large", l.add)
	}
	return int32(l.add), nil
}

// address returns the fetch of the address of a value in memory.
func (l location) address() (layout.Fetch, error) {
	if !l.memory {
		return layout.Fetch{}, fmt.Errorf("is in a register and has no address")
	}
	if l.typ != nil && l.typ.isVariable() {
		return layout.Fetch{}, errVariable
	}
	add, err := l.offset()
	f := l.fetch
	if add != 0 {
		f.Steps = append(append([]layout.FetchStep(nil), f.Steps...), layout.FetchStep{Add: add})
	}
	return f, err
}

// deref returns the target of a pointer.
func (l location) deref() (location, error) {
	if l.typ != nil && l.typ.kind != kindPointer {
		return l, fmt.Errorf("is not a pointer but %s", l.typ.name)
	}
	f, err := l.value()
	to := location{memory: true, space: l.space, fetch: f}
	if l.typ != nil {
		to.typ = l.typ.element()
	}
	return to, err
}

// field returns a member of a structure or of the structure that a pointer points to.
func (l location) field(name string) (location, error) {
	if l.typ == nil {
		return l, fmt.Errorf("has no type: its fields are not known")
	}
	if l.typ.kind == kindPointer {
		to, err := l.deref()
		if err != nil {
			return l, err
		}
		l = to
	}
	if l.typ.members == nil {
		return l, fmt.Errorf("is %s, which has no fields", l.typ.name)
	}
	m, ok := l.typ.find(name, 0)
	if !ok {
		names := l.typ.memberNames(0)
		near := nearest.To(name)
		for _, n := range names {
			near.Add(n)
		}
		if similar := near.Names(); len(similar) > 0 {
			names = similar
		}
		if len(names) > maxNamesShown {
			names = append(names[:maxNamesShown:maxNamesShown], "…")
		}
		return l, fmt.Errorf("%s has no field %s (it has %s)", l.typ.name, name, strings.Join(names, ", "))
	}
	return l.member(m), nil
}

const maxNamesShown = 12

func (l location) member(m member) location {
	t := m.typ()
	if t.kind == kindInteger && t.size == 4 && t.bigEndian && strings.HasSuffix(m.name, "addr") {
		address := *t
		address.kind = kindIPv4 // __be32 skc_daddr, saddr
		t = &address
	}
	l.typ = t
	l.bits, l.shift = m.bits, 0
	if !l.memory {
		// Structures of up to 16 bytes may be in registers.
		l.pieces = append([]layout.Fetch(nil), l.pieces[min(m.bit/64, len(l.pieces)):]...)
		l.shift = m.bit % 64
		return l
	}
	if m.bits == 0 {
		l.add += int64(m.bit / 8)
		return l
	}
	// A bitfield is inside a unit of its type, aligned to the size of the type.
	unit := max(t.size, 1) * 8
	l.add += int64(m.bit / unit * unit / 8)
	l.shift = m.bit % unit
	return l
}

// index returns an element of an array or of the memory that a pointer points to.
func (l location) index(i int) (location, error) {
	if l.typ == nil {
		return l, fmt.Errorf("has no type: the size of its elements is not known")
	}
	switch l.typ.kind {
	case kindArray:
		if i >= l.typ.count && l.typ.count > 0 {
			return l, fmt.Errorf("%s has no element %d", l.typ.name, i)
		}
		l.typ = l.typ.element()
	case kindPointer, kindGoSlice:
		at := l
		if l.typ.kind == kindGoSlice {
			slice := *l.typ
			slice.kind = kindPointer // its first word is the address of the array
			at.typ = &slice
		}
		to, err := at.deref()
		if err != nil {
			return l, err
		}
		l = to
	default:
		return l, fmt.Errorf("is %s, which has no elements", l.typ.name)
	}
	if !l.memory {
		return l, fmt.Errorf("is in a register: its elements cannot be read")
	}
	l.add += int64(i) * int64(l.typ.size)
	return l, nil
}

// number returns the fetch of a number of a given size.
func (l location) number(size int, signed, bigEndian bool) (layout.Fetch, error) {
	if !l.memory {
		if len(l.pieces) == 0 {
			return layout.Fetch{}, errOptimizedOut
		}
		f := l.pieces[0]
		if l.exact {
			if bigEndian {
				f.Narrow(size, signed, true)
			}
			return f, nil
		}
		f.Narrow(size, signed, bigEndian)
		if l.shift > 0 || l.bits > 0 {
			bits := 8 * size
			if l.bits > 0 {
				bits = l.bits
			}
			if bigEndian && l.shift > 0 {
				return f, fmt.Errorf("is a big-endian number inside a register, which cannot be read")
			}
			f.Left, f.Right = uint8(64-bits-l.shift), uint8(64-bits)
		}
		return f, nil
	}
	f, err := l.load(size)
	f.Narrow(size, signed, bigEndian)
	switch {
	case l.bits > 0:
		f.Left, f.Right = uint8(64-l.bits-l.shift), uint8(64-l.bits)
	case !signed && !bigEndian:
		f.Left, f.Right = 0, 0 // the high bits are zero already
	}
	return f, err
}

// scalar returns the fetch and field of a number of the location's own type.
func (l location) scalar(name string) (layout.Fetch, layout.Field, error) {
	t := l.typ
	if t == nil {
		f, err := l.value()
		return f, layout.Field{Name: name, Type: format.FieldHex, Size: 8, Count: 1}, err
	}
	field := layout.Field{Name: name, Type: t.fieldType(), Size: uint16(t.size), Count: 1, CType: t.name}
	if t.names != nil {
		field.Names = t.names()
	}
	f, err := l.number(t.size, t.signed, t.bigEndian)
	return f, field, err
}

var errOptimizedOut = errors.New("was optimized out here: its value is stored nowhere")
