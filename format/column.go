package format

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"
)

// A transform is how the values of a column become the numbers in its planes.
type transform uint8

const (
	transformPlain transform = iota // value - base
	transformDelta                  // zigzag of the difference from the value before; base before the first
	transformTable                  // position in the column of values that follows
)

// tableColumn is the bit that tells a column's table of values from the column.
const tableColumn = 1

// The byte of a column's header that says how it is stored: its transform in the
// two low bits, whether its numbers are tokens, and how many planes there are.
const (
	formTransform = 3
	formTokens    = 4
	formPlanes    = 4 // shift
)

// planeCompressed marks a plane length, shifted, whose plane is a zstd frame.
const planeCompressed = 1

// A column is one column of a block as stored. Its planes refer to the payload.
type column struct {
	id        uint16
	transform transform
	context   uint16 // ID of the column that predicts this one, 0 for none; with contextBefore by the row before
	unit      uint64 // what the numbers count
	count     int
	base      uint64
	tokens    bool // the planes are tokens and the bits that follow them
	planes    [8]plane
	width     int
}

// A plane is one byte of every value of a column.
type plane struct {
	data       []byte
	compressed bool
}

// parseColumns finds the columns of a payload, which are in ascending order of ID. Columns that are not known are
// among them: the caller asks by ID.
func parseColumns(b []byte) ([]column, error) {
	var columns []column
	for len(b) > 0 {
		c, n, err := parseColumn(b)
		if err != nil {
			return nil, err
		}
		b = b[n:]
		if len(columns) >= 2*MaxColumns {
			return nil, fmt.Errorf("more than %d columns", 2*MaxColumns)
		}
		if n := len(columns); n > 0 && columns[n-1].id >= c.id {
			return nil, fmt.Errorf("column %d follows column %d", c.id, columns[n-1].id)
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// parseColumn returns the column at the start of b and its length.
func parseColumn(b []byte) (c column, length int, err error) {
	h := varints{b: b}
	c.id = uint16(h.next(math.MaxUint16))
	form := h.byte()
	c.transform, c.tokens, c.width = transform(form&formTransform), form&formTokens != 0, int(form>>formPlanes)
	c.context = uint16(h.next(math.MaxUint16))
	c.unit = max(h.next(math.MaxUint16), 1)
	c.count = int(h.next(math.MaxInt32))
	c.base = h.next(math.MaxUint64)
	if h.bad {
		return c, 0, fmt.Errorf("column %d has no whole header", c.id)
	}
	if c.width > len(c.planes) || form>>3&1 != 0 || c.tokens && c.width > 2 {
		return c, 0, fmt.Errorf("column %d is stored in a way that is not known: %#x", c.id, form)
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
	bad bool // there was none, or one too large
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

// bytes returns the plane's n bytes, in the payload or in room.
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

// find returns the column with the ID; a column that is not there is all zero.
func find(columns []column, id uint16, count int) column {
	i, ok := slices.BinarySearchFunc(columns, id, func(c column, id uint16) int { return int(c.id) - int(id) })
	if !ok {
		return column{id: id, unit: 1, count: count}
	}
	return columns[i]
}

// decode writes the column's values into dst[:0], grown as needed. count is how
// many the caller expects.
func decode(dst []uint64, columns []column, id uint16, count int) ([]uint64, error) {
	return decodeColumn(dst, columns, id, count, maxContexts)
}

// decodeColumn is decode for a column that may have so many contexts, one behind
// the other.
func decodeColumn(dst []uint64, columns []column, id uint16, count, contexts int) ([]uint64, error) {
	c := find(columns, id, count)
	if c.count != count || count > MaxValues {
		return nil, fmt.Errorf("column %d has %d values instead of %d", id, c.count, count)
	}
	dst = slices.Grow(dst[:0], count)[:count]
	if err := c.numbers(dst); err != nil {
		return nil, fmt.Errorf("column %d: %w", id, err)
	}
	if c.context != 0 {
		if contexts == 0 || c.transform == transformDelta {
			return nil, fmt.Errorf("column %d must not have a context", id)
		}
		if err := restore(dst, columns, c.context, contexts-1); err != nil {
			return nil, err
		}
	}
	if c.unit > 1 && c.transform == transformPlain {
		for i := range dst {
			dst[i] *= c.unit
		}
	}
	switch c.transform {
	case transformPlain:
		if c.base != 0 {
			for i := range dst {
				dst[i] += c.base
			}
		}
	case transformDelta:
		v := c.base
		for i, z := range dst {
			v += unzigzag(z) * c.unit
			dst[i] = v
		}
	case transformTable:
		if id&tableColumn != 0 {
			return nil, fmt.Errorf("column %d is a table and must not have one", id)
		}
		return dst, lookUp(dst, columns, id|tableColumn)
	default:
		return nil, fmt.Errorf("column %d has the unknown transform %d", id, c.transform)
	}
	return dst, nil
}

// restore undoes the prediction of values from the column context.
func restore(values []uint64, columns []column, context uint16, contexts int) error {
	p := scratch.Get().(*[]uint64)
	defer scratch.Put(p)
	by, err := decodeColumn(*p, columns, context&^contextBefore, len(values), contexts)
	if err != nil {
		return err
	}
	*p = by
	if context&contextBefore != 0 && len(by) > 0 {
		copy(by[1:], by)
		by[0] = 0
	}
	var expected predictor
	expected.restore(values, by)
	return nil
}

// lookUp replaces positions by the values in the column table.
func lookUp(positions []uint64, columns []column, table uint16) error {
	n := find(columns, table, 0).count
	if n > len(positions) {
		return fmt.Errorf("column %d has %d values for %d rows", table, n, len(positions))
	}
	p := scratch.Get().(*[]uint64)
	defer scratch.Put(p)
	values, err := decodeColumn(*p, columns, table, n, 0)
	if err != nil {
		return err
	}
	*p = values
	for i, at := range positions {
		if at >= uint64(len(values)) {
			return fmt.Errorf("position %d is not in column %d", at, table)
		}
		positions[i] = values[at]
	}
	return nil
}

// scratch holds buffers of values, so that decoding a column into a slice that is
// large enough does not allocate.
var scratch = sync.Pool{New: func() any { return new([]uint64) }}

// scratchBytes holds buffers of planes.
var scratchBytes = sync.Pool{New: func() any { return new([]byte) }}

// numbers joins the planes of the column into dst.
func (c *column) numbers(dst []uint64) error {
	if c.tokens && c.width > 0 {
		return c.joinTokens(dst)
	}
	var planes [8][]byte
	p := scratchBytes.Get().(*[]byte)
	defer scratchBytes.Put(p)
	*p = slices.Grow((*p)[:0], c.scratch())
	room := *p
	for k := range c.width {
		data, err := c.planes[k].bytes(len(dst), room)
		if err != nil {
			return err
		}
		if c.planes[k].compressed {
			room = room[len(dst):cap(room)]
		}
		planes[k] = data
	}
	joinPlanes(dst, planes[:c.width])
	return nil
}

func (c *column) joinTokens(dst []uint64) error {
	p := scratchBytes.Get().(*[]byte)
	defer scratchBytes.Put(p)
	*p = slices.Grow((*p)[:0], len(dst))
	tokens, err := c.planes[0].bytes(len(dst), *p)
	if err != nil {
		return err
	}
	return joinTokens(dst, tokens, c.planes[1].data)
}

// scratch returns how many bytes the compressed planes decode to.
func (c *column) scratch() int {
	n := 0
	for _, p := range c.planes[:c.width] {
		if p.compressed {
			n += c.count
		}
	}
	return n
}

// decodeBytes returns a column of bytes, which may be longer than a column of
// numbers. The result may be part of the payload.
func decodeBytes(columns []column, id uint16, count int) ([]byte, error) {
	c := find(columns, id, count)
	switch {
	case c.count != count || count > MaxPayload:
		return nil, fmt.Errorf("column %d has %d bytes instead of %d", id, c.count, count)
	case c.width == 0 && count == 0:
		return nil, nil
	case c.width != 1 || c.tokens || c.transform != transformPlain || c.base != 0:
		return nil, fmt.Errorf("column %d is not a column of bytes", id)
	}
	var room []byte
	if c.planes[0].compressed {
		room = make([]byte, 0, count)
	}
	b, err := c.planes[0].bytes(count, room)
	if err != nil {
		return nil, fmt.Errorf("column %d: %w", id, err)
	}
	return b, nil
}

// several decodes columns of count values each.
func several(columns []column, count int, ids ...uint16) ([][]uint64, error) {
	out := make([][]uint64, len(ids))
	for i, id := range ids {
		var err error
		if out[i], err = decode(nil, columns, id, count); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// singles decodes columns of one value each.
func singles(columns []column, ids ...uint16) ([]uint64, error) {
	lists, err := several(columns, 1, ids...)
	if err != nil {
		return nil, err
	}
	out := make([]uint64, len(ids))
	for i := range out {
		out[i] = lists[i][0]
	}
	return out, nil
}

// lengths decodes a column of list lengths and their sum, which is at most limit.
func lengths(columns []column, count int, id uint16, limit int) ([]uint64, int, error) {
	values, err := decode(nil, columns, id, count)
	if err != nil {
		return nil, 0, err
	}
	sum := uint64(0)
	for _, v := range values {
		if v > uint64(limit) || sum+v > uint64(limit) {
			return nil, 0, fmt.Errorf("lists of column %d have more than %d elements", id, limit)
		}
		sum += v
	}
	return values, int(sum), nil
}

// texts decodes a column of lengths and the column of bytes that they divide.
func texts(columns []column, count int, length, text uint16) ([]string, error) {
	sizes, total, err := lengths(columns, count, length, MaxPayload)
	if err != nil {
		return nil, err
	}
	b, err := decodeBytes(columns, text, total)
	if err != nil {
		return nil, err
	}
	all := string(b) // one allocation for all
	out := make([]string, count)
	for i, n := range sizes {
		out[i], all = all[:n], all[n:]
	}
	return out, nil
}
