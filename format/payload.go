package format

import (
	"encoding/binary"

	"github.com/klauspost/compress/zstd"
)

// A payload builds the columns of one block. Its buffers are used again.
type payload struct {
	data    []byte
	zstd    *zstd.Encoder // nil: not compressed
	plane   []byte
	numbers []uint64
	before  []uint64 // a context, of the row before
	scaled  []uint64 // values in units
	table   valueTable
	predict predictor
}

// minCompress is the length below which a zstd frame's own header outweighs the gain.
const minCompress = 24

// column appends values under the better of the simple transforms. A column of
// zeros is left out.
func (p *payload) column(id uint16, values []uint64) {
	r := recipe{}
	if len(values) > 1 {
		r, _ = p.best(values, nil, transformPlain, transformDelta)
	}
	p.encode(id, r, values, nil)
}

// encode appends values under a recipe, whose context holds as many values, or
// reports that it does not apply to them. A column of zeros is left out.
func (p *payload) encode(id uint16, r recipe, values, context []uint64) bool {
	if union(values) == 0 {
		return true
	}
	if r.transform == transformTable && !p.table.build(values) {
		return false
	}
	unit := uint64(max(r.unit, 1))
	if unit > 1 {
		p.scaled = grow(p.scaled, len(values))
		for i, v := range values {
			p.scaled[i] = v / unit
		}
		values = p.scaled
	}
	p.numbers = grow(p.numbers, len(values))
	numbers, base := p.numbers, uint64(0)
	switch r.transform {
	case transformPlain:
		base, _ = bounds(values)
		for i, v := range values {
			numbers[i] = v - base
		}
	case transformDelta:
		base = values[0]
		last := base
		for i, v := range values {
			numbers[i] = zigzag(v - last)
			last = v
		}
	case transformTable:
		copy(numbers, p.table.index)
	}
	if context != nil {
		if _, most := bounds(numbers); most <= maxPredicted {
			p.predict.predict(numbers, numbers, context)
		} else {
			r.context = 0
		}
	}
	width := planeWidth(union(numbers))
	p.begin(id, r, width, len(values), base*unit)
	start := len(p.data)
	for k := range width {
		p.plane = splitPlane(p.plane[:0], numbers, k)
		p.addPlane(start-4*(width-k), p.plane)
	}
	p.end(start - 4*width)
	if r.transform == transformTable {
		p.encode(id|tableColumn, recipe{transform: transformDelta}, p.table.values, nil)
	}
	return true
}

// bytes appends a column of bytes.
func (p *payload) bytes(id uint16, b []byte) {
	if len(b) == 0 {
		return
	}
	p.begin(id, recipe{}, 1, len(b), 0)
	start := len(p.data)
	p.addPlane(start-4, b)
	p.end(start - 4)
}

// plain appends a column of bytes that is not compressed.
func (p *payload) plain(id uint16, b []byte) {
	z := p.zstd
	p.zstd = nil
	p.bytes(id, b)
	p.zstd = z
}

// begin appends a column's header and room for the lengths of its planes.
func (p *payload) begin(id uint16, r recipe, width, count int, base uint64) {
	le := binary.LittleEndian
	p.data = le.AppendUint16(p.data, id)
	p.data = append(p.data, byte(r.transform), byte(width))
	p.data = le.AppendUint16(p.data, r.context)
	p.data = le.AppendUint16(p.data, r.unit)
	p.data = le.AppendUint32(p.data, uint32(count))
	p.data = le.AppendUint32(p.data, 0) // set by end
	p.data = le.AppendUint64(p.data, base)
	p.data = append(p.data, make([]byte, 4*width)...)
}

// addPlane appends a plane, compressed if that makes it shorter, and sets its
// length at the offset.
func (p *payload) addPlane(at int, plane []byte) {
	start := len(p.data)
	var mark uint32
	if p.zstd != nil && len(plane) >= minCompress {
		p.data = p.zstd.EncodeAll(plane, p.data)
		mark = planeCompressed
	}
	if n := len(p.data) - start; mark == 0 || n >= len(plane) {
		p.data = append(p.data[:start], plane...)
		mark = 0
	}
	binary.LittleEndian.PutUint32(p.data[at:], uint32(len(p.data)-start)|mark)
}

// end sets the column's length; its data starts at the offset.
func (p *payload) end(data int) {
	binary.LittleEndian.PutUint32(p.data[data-12:], uint32(len(p.data)-data))
}

// bounds returns the least and the greatest value. Branches that are nearly
// always predicted beat min and max here, whose results wait for each other.
func bounds(values []uint64) (lo, hi uint64) {
	if len(values) == 0 {
		return 0, 0
	}
	lo, hi = values[0], values[0]
	for _, v := range values {
		if v < lo {
			lo = v
		} else if v > hi {
			hi = v
		}
	}
	return lo, hi
}

// union returns a number as wide as the widest value.
func union(values []uint64) uint64 {
	var a, b, c, d uint64
	for ; len(values) >= 4; values = values[4:] {
		a |= values[0]
		b |= values[1]
		c |= values[2]
		d |= values[3]
	}
	for _, v := range values {
		a |= v
	}
	return a | b | c | d
}

func grow(s []uint64, n int) []uint64 {
	if cap(s) < n {
		return make([]uint64, n)
	}
	return s[:n]
}
