package column

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// stored is a column as it was found in a payload, to which it refers.
type stored struct {
	id        uint16
	transform Transform
	context   uint16 // as in Recipe
	unit      uint64 // as in Recipe, at least 1
	count     int
	base      uint64
	tokens    bool // the two planes are tokens and the bits that follow them
	planes    [8]plane
	width     int
}

// A plane holds one byte of every value of a column.
type plane struct {
	data       []byte
	compressed bool
}

// A Set holds the columns of a payload, in ascending order of ID. It refers to the payload.
type Set []stored

// Parse finds the columns of a payload, including those that the caller does not know.
func Parse(b []byte) (Set, error) {
	var columns Set
	for len(b) > 0 {
		c, n, err := parseColumn(b)
		if err != nil {
			return nil, err
		}
		b = b[n:]
		if len(columns) >= 2*MaxColumns {
			return nil, fmt.Errorf("payload has more than %d columns", 2*MaxColumns)
		}
		if n := len(columns); n > 0 && columns[n-1].id >= c.id {
			return nil, fmt.Errorf("column %d follows column %d", c.id, columns[n-1].id)
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// parseColumn returns the column at the start of b, and its length in b.
func parseColumn(b []byte) (c stored, length int, err error) {
	h := varints{b: b}
	c.id = uint16(h.next(math.MaxUint16))
	form := h.byte()
	c.transform, c.tokens, c.width = Transform(form&formTransform), form&formTokens != 0, int(form>>formPlanes)
	c.context = uint16(h.next(math.MaxUint16))
	c.unit = max(h.next(math.MaxUint16), 1)
	c.count = int(h.next(math.MaxInt32))
	c.base = h.next(math.MaxUint64)
	if h.bad {
		return c, 0, fmt.Errorf("header of column %d is incomplete", c.id)
	}
	if c.width > len(c.planes) || form>>3&1 != 0 || c.tokens && c.width > 2 {
		return c, 0, fmt.Errorf("column %d has the unknown form %#x", c.id, form)
	}
	var words [len(c.planes)]uint64
	for k := range c.width {
		words[k] = h.next(math.MaxUint32)
	}
	for k := range c.width {
		n := words[k] >> 1
		if h.bad || n > uint64(len(h.b)) {
			return c, 0, fmt.Errorf("plane %d of column %d is longer than its block", k, c.id)
		}
		c.planes[k] = plane{h.b[:n], words[k]&planeCompressed != 0}
		h.b = h.b[n:]
	}
	if c.tokens && c.planes[1].compressed {
		return c, 0, fmt.Errorf("the bits of column %d are compressed", c.id)
	}
	return c, len(b) - len(h.b), nil
}

// varints reads unsigned LEB128 numbers.
type varints struct {
	b   []byte
	bad bool // a number was missing or too large
}

func (v *varints) next(most uint64) uint64 {
	x, n := binary.Uvarint(v.b)
	if n <= 0 || x > most {
		v.bad = true
		return 0
	}
	v.b = v.b[n:]
	return x
}

func (v *varints) byte() byte {
	if len(v.b) == 0 {
		v.bad = true
		return 0
	}
	x := v.b[0]
	v.b = v.b[1:]
	return x
}

// bytes returns the plane's n bytes. It decompresses into room.
func (p plane) bytes(n int, room []byte) ([]byte, error) {
	if !p.compressed {
		if len(p.data) != n {
			return nil, fmt.Errorf("plane has %d bytes instead of %d", len(p.data), n)
		}
		return p.data, nil
	}
	out, err := decoder().DecodeAll(p.data, room[:0:n])
	if err != nil {
		return nil, err
	}
	if len(out) != n {
		return nil, fmt.Errorf("plane has %d bytes instead of %d", len(out), n)
	}
	return out, nil
}

// IDs returns the IDs of the columns, in ascending order.
func (s Set) IDs() []uint16 {
	ids := make([]uint16, len(s))
	for i, c := range s {
		ids[i] = c.id
	}
	return ids
}

// find returns the column with the ID. A missing column has count zeros.
func (s Set) find(id uint16, count int) stored {
	i, ok := slices.BinarySearchFunc(s, id, func(c stored, id uint16) int { return int(c.id) - int(id) })
	if !ok {
		return stored{id: id, unit: 1, count: count}
	}
	return s[i]
}
