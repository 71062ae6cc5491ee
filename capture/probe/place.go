package probe

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"trapline/format"
)

// A place is where a value is while an argument is resolved: in memory, at the
// address that fetch and add make; or in registers, each holding 8 bytes of it.
type place struct {
	typ    *valueType // nil: not known, a word
	memory bool
	space  Space // memory that the address, or a pointer found here, belongs to
	fetch  Fetch
	add    int64
	pieces []Fetch // not in memory
	exact  bool    // the only piece has the shifts that make it a number
	bits   int     // of a bitfield in memory; 0: it is none
	shift  int     // where it begins, in bits from the address
}

// inRegister returns the place of a value that a word of the context holds.
func inRegister(t *valueType, space Space, words ...uint8) place {
	p := place{typ: t, space: space}
	for _, w := range words {
		p.pieces = append(p.pieces, Fetch{Word: w})
	}
	return p
}

// value returns the fetch of a word: a pointer, or a number that is not typed.
func (p place) value() (Fetch, error) {
	if !p.memory {
		if len(p.pieces) == 0 {
			return Fetch{}, errOptimizedOut
		}
		if p.exact && p.pieces[0].Left != 0 {
			return Fetch{}, fmt.Errorf("is not an address: it is narrower")
		}
		return p.pieces[0], nil
	}
	return p.load(8)
}

// load returns the fetch of size bytes in memory.
func (p place) load(size int) (Fetch, error) {
	if p.typ != nil && p.typ.isVariable() {
		return Fetch{}, errVariable
	}
	add, err := p.offset()
	f := p.fetch
	f.Steps = append(append([]FetchStep(nil), f.Steps...), FetchStep{add, p.space, uint8(size)})
	return f, err
}

var errVariable = errors.New("is of variable length: it can be recorded as it is, with no type and no step from it")

func (p place) offset() (int32, error) {
	if p.add < math.MinInt32 || p.add > math.MaxInt32 {
		return 0, fmt.Errorf("offset %d is too large", p.add)
	}
	return int32(p.add), nil
}

// address returns the fetch of the address of what is in memory.
func (p place) address() (Fetch, error) {
	if !p.memory {
		return Fetch{}, fmt.Errorf("is in a register and has no address")
	}
	if p.typ != nil && p.typ.isVariable() {
		return Fetch{}, errVariable
	}
	add, err := p.offset()
	f := p.fetch
	if add != 0 {
		f.Steps = append(append([]FetchStep(nil), f.Steps...), FetchStep{Add: add})
	}
	return f, err
}

// deref returns what a pointer points to.
func (p place) deref() (place, error) {
	if p.typ != nil && p.typ.kind != kindPointer {
		return p, fmt.Errorf("is not a pointer but %s", p.typ.name)
	}
	f, err := p.value()
	to := place{memory: true, space: p.space, fetch: f}
	if p.typ != nil {
		to.typ = p.typ.element()
	}
	return to, err
}

// field returns a member of a structure, or of the one that a pointer points to.
func (p place) field(name string) (place, error) {
	if p.typ == nil {
		return p, fmt.Errorf("has no type: its fields are not known")
	}
	if p.typ.kind == kindPointer {
		to, err := p.deref()
		if err != nil {
			return p, err
		}
		p = to
	}
	if p.typ.members == nil {
		return p, fmt.Errorf("is %s, which has no fields", p.typ.name)
	}
	m, ok := p.typ.find(name, 0)
	if !ok {
		names := p.typ.memberNames(0)
		near := newNearest(name)
		for _, n := range names {
			near.add(n)
		}
		if nearest := near.names(); len(nearest) > 0 {
			names = nearest
		}
		if len(names) > maxNamesShown {
			names = append(names[:maxNamesShown:maxNamesShown], "…")
		}
		return p, fmt.Errorf("%s has no field %s (it has %s)", p.typ.name, name, strings.Join(names, ", "))
	}
	return p.member(m), nil
}

const maxNamesShown = 12

func (p place) member(m member) place {
	t := m.typ()
	if t.kind == kindInteger && t.size == 4 && t.bigEndian && strings.HasSuffix(m.name, "addr") {
		address := *t
		address.kind = kindIPv4 // __be32 skc_daddr, saddr
		t = &address
	}
	p.typ = t
	p.bits, p.shift = m.bits, 0
	if !p.memory {
		// Structures of up to 16 bytes are passed in registers.
		p.pieces = append([]Fetch(nil), p.pieces[min(m.bit/64, len(p.pieces)):]...)
		p.shift = m.bit % 64
		return p
	}
	if m.bits == 0 {
		p.add += int64(m.bit / 8)
		return p
	}
	// A bitfield lies within a unit of its type, aligned to its size.
	unit := max(t.size, 1) * 8
	p.add += int64(m.bit / unit * unit / 8)
	p.shift = m.bit % unit
	return p
}

// index returns an element of an array, or of what a pointer points to.
func (p place) index(i int) (place, error) {
	if p.typ == nil {
		return p, fmt.Errorf("has no type: the size of its elements is not known")
	}
	switch p.typ.kind {
	case kindArray:
		if i >= p.typ.count && p.typ.count > 0 {
			return p, fmt.Errorf("%s has no element %d", p.typ.name, i)
		}
		p.typ = p.typ.element()
	case kindPointer, kindGoSlice:
		p2 := p
		if p.typ.kind == kindGoSlice {
			slice := *p.typ
			slice.kind = kindPointer // its first word is the array's address
			p2.typ = &slice
		}
		to, err := p2.deref()
		if err != nil {
			return p, err
		}
		p = to
	default:
		return p, fmt.Errorf("is %s, which has no elements", p.typ.name)
	}
	if !p.memory {
		return p, fmt.Errorf("is in a register: its elements cannot be read")
	}
	p.add += int64(i) * int64(p.typ.size)
	return p, nil
}

// number returns the fetch of a number of the given size.
func (p place) number(size int, signed, bigEndian bool) (Fetch, error) {
	if !p.memory {
		if len(p.pieces) == 0 {
			return Fetch{}, errOptimizedOut
		}
		f := p.pieces[0]
		if p.exact {
			if bigEndian {
				f.narrow(size, signed, true)
			}
			return f, nil
		}
		f.narrow(size, signed, bigEndian)
		if p.shift > 0 || p.bits > 0 {
			bits := 8 * size
			if p.bits > 0 {
				bits = p.bits
			}
			if bigEndian && p.shift > 0 {
				return f, fmt.Errorf("is a big-endian number inside a register, which cannot be read")
			}
			f.Left, f.Right = uint8(64-bits-p.shift), uint8(64-bits)
		}
		return f, nil
	}
	f, err := p.load(size)
	f.narrow(size, signed, bigEndian)
	switch {
	case p.bits > 0:
		f.Left, f.Right = uint8(64-p.bits-p.shift), uint8(64-p.bits)
	case !signed && !bigEndian:
		f.Left, f.Right = 0, 0 // memory is read with zeros above
	}
	return f, err
}

// scalar returns the fetch and field of a number of the place's own type.
func (p place) scalar(name string) (Fetch, Field, error) {
	t := p.typ
	if t == nil {
		f, err := p.value()
		return f, Field{Name: name, Type: format.FieldHex, Size: 8, Count: 1}, err
	}
	field := Field{Name: name, Type: t.fieldType(), Size: uint16(t.size), Count: 1, CType: t.name}
	if t.names != nil {
		field.Names = t.names()
	}
	f, err := p.number(t.size, t.signed, t.bigEndian)
	return f, field, err
}
