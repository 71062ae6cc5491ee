package format

import (
	"encoding/binary"

	"github.com/klauspost/compress/zstd"
)

// A payload builds the columns of one block. Its buffers are used again.
type payload struct {
	data    []byte
	zstd    *zstd.Encoder // nil: not compressed
	stored  []byte        // the column's planes so far
	lengths []uint64      // of them, as stored
	plane   []byte
	rest    []byte // bits that follow tokens
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
	if widest := union(numbers); r.tokens && widest <= maxTokenized {
		p.plane, p.rest = appendTokens(p.plane[:0], p.rest[:0], numbers)
		p.addPlane(p.plane)
		if len(p.rest) > 0 {
			p.addBits(p.rest)
		}
	} else {
		r.tokens = false
		for k := range planeWidth(widest) {
			p.plane = splitPlane(p.plane[:0], numbers, k)
			p.addPlane(p.plane)
		}
	}
	p.finish(id, r, len(values), base*unit)
	if r.transform == transformTable {
		p.encode(id|tableColumn, recipe{transform: transformDelta, tokens: true}, p.table.values, nil)
	}
	return true
}

// bytes appends a column of bytes.
func (p *payload) bytes(id uint16, b []byte) {
	if len(b) == 0 {
		return
	}
	p.addPlane(b)
	p.finish(id, recipe{}, len(b), 0)
}

// addPlane adds a plane to the column, compressed if that makes it shorter.
func (p *payload) addPlane(plane []byte) {
	if p.zstd != nil && len(plane) >= minCompress {
		start := len(p.stored)
		p.stored = p.zstd.EncodeAll(plane, p.stored)
		if n := len(p.stored) - start; n < len(plane) {
			p.lengths = append(p.lengths, uint64(n)<<1|planeCompressed)
			return
		}
		p.stored = p.stored[:start]
	}
	p.addBits(plane)
}

// addBits adds a plane that is not worth compressing.
func (p *payload) addBits(plane []byte) {
	p.stored = append(p.stored, plane...)
	p.lengths = append(p.lengths, uint64(len(plane))<<1)
}

// finish appends the column whose planes have been added.
func (p *payload) finish(id uint16, r recipe, count int, base uint64) {
	form := byte(r.transform) | byte(len(p.lengths))<<formPlanes
	if r.tokens {
		form |= formTokens
	}
	p.data = binary.AppendUvarint(p.data, uint64(id))
	p.data = append(p.data, form)
	for _, v := range []uint64{uint64(r.context), uint64(r.unit), uint64(count), base} {
		p.data = binary.AppendUvarint(p.data, v)
	}
	for _, n := range p.lengths {
		p.data = binary.AppendUvarint(p.data, n)
	}
	p.data = append(p.data, p.stored...)
	p.stored, p.lengths = p.stored[:0], p.lengths[:0]
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
