package format

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// A transform is how the values of a column become the numbers in its planes.
type transform uint8

const (
	transformPlain transform = iota // value - base
	transformDelta                  // zigzag of the difference from the value before; base before the first
)

// columnHeaderSize is the length of a column's fixed part: id to base.
const columnHeaderSize = 24

// planeCompressed marks a plane length whose plane is a zstd frame.
const planeCompressed = 1 << 31

// A column is one column of a block as stored. Its planes refer to the payload.
type column struct {
	id        uint16
	transform transform
	context   uint16 // a second column that the transform needs
	count     int
	base      uint64
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
	le := binary.LittleEndian
	var columns []column
	for len(b) > 0 {
		if len(b) < columnHeaderSize {
			return nil, fmt.Errorf("%d bytes after the last column", len(b))
		}
		c := column{
			id:        le.Uint16(b),
			transform: transform(b[2]),
			width:     int(b[3]),
			context:   le.Uint16(b[4:]),
			count:     int(le.Uint32(b[8:])),
			base:      le.Uint64(b[16:]),
		}
		stored := int(le.Uint32(b[12:]))
		b = b[columnHeaderSize:]
		if stored > len(b) {
			return nil, fmt.Errorf("column %d is longer than its block", c.id)
		}
		data := b[:stored]
		b = b[stored:]
		if c.width > 8 || len(data) < 4*c.width {
			return nil, fmt.Errorf("column %d has no room for %d planes", c.id, c.width)
		}
		if len(columns) >= 2*MaxColumns {
			return nil, fmt.Errorf("more than %d columns", 2*MaxColumns)
		}
		if n := len(columns); n > 0 && columns[n-1].id >= c.id {
			return nil, fmt.Errorf("column %d follows column %d", c.id, columns[n-1].id)
		}
		lengths := data[:4*c.width]
		data = data[4*c.width:]
		for k := range c.width {
			word := le.Uint32(lengths[4*k:])
			n := int(word &^ planeCompressed)
			if n > len(data) {
				return nil, fmt.Errorf("plane %d of column %d is longer than the column", k, c.id)
			}
			c.planes[k] = plane{data[:n], word&planeCompressed != 0}
			data = data[n:]
		}
		if len(data) > 0 {
			return nil, fmt.Errorf("%d bytes after the last plane of column %d", len(data), c.id)
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// bytes returns the plane's n bytes, in the payload or in scratch.
func (p plane) bytes(n int, scratch []byte) ([]byte, error) {
	if !p.compressed {
		if len(p.data) != n {
			return nil, fmt.Errorf("plane has %d bytes instead of %d", len(p.data), n)
		}
		return p.data, nil
	}
	out, err := decoder().DecodeAll(p.data, scratch[:0:n])
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
		return column{id: id, count: count}
	}
	return columns[i]
}

// decode writes the column's values into dst[:0], grown as needed. count is how
// many the caller expects.
func decode(dst []uint64, columns []column, id uint16, count int) ([]uint64, error) {
	c := find(columns, id, count)
	if c.count != count || count > MaxValues {
		return nil, fmt.Errorf("column %d has %d values instead of %d", id, c.count, count)
	}
	dst = slices.Grow(dst[:0], count)[:count]
	if err := c.numbers(dst); err != nil {
		return nil, fmt.Errorf("column %d: %w", id, err)
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
			v += unzigzag(z)
			dst[i] = v
		}
	default:
		return nil, fmt.Errorf("column %d has the unknown transform %d", id, c.transform)
	}
	return dst, nil
}

// numbers joins the planes of the column into dst.
func (c *column) numbers(dst []uint64) error {
	var planes [8][]byte
	scratch := make([]byte, 0, c.scratch())
	for k := range c.width {
		p, err := c.planes[k].bytes(len(dst), scratch)
		if err != nil {
			return err
		}
		if c.planes[k].compressed {
			scratch = scratch[len(dst):cap(scratch)]
		}
		planes[k] = p
	}
	joinPlanes(dst, planes[:c.width])
	return nil
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
	case c.width != 1 || c.transform != transformPlain || c.base != 0:
		return nil, fmt.Errorf("column %d is not a column of bytes", id)
	}
	var scratch []byte
	if c.planes[0].compressed {
		scratch = make([]byte, 0, count)
	}
	b, err := c.planes[0].bytes(count, scratch)
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
