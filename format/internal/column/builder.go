package column

import (
	"encoding/binary"

	"github.com/klauspost/compress/zstd"
)

// A Builder builds payloads, one after another. It reuses its buffers.
type Builder struct {
	data    []byte
	zstd    *zstd.Encoder // nil for no compression
	stored  []byte        // planes of the current column
	lengths []uint64      // of the planes, as stored
	plane   []byte
	rest    []byte // bits that follow tokens
	numbers []uint64
	before  []uint64 // a context, shifted by one row
	scaled  []uint64 // values in units
	table   valueTable
	predict predictor
}

// minCompress is the plane length below which the header of a zstd frame outweighs the gain.
const minCompress = 24

// Begin starts a payload, which z compresses unless it is nil. room is the number of bytes
// to leave before the payload, for the caller to fill.
func (b *Builder) Begin(room int, z *zstd.Encoder) {
	b.data = append(b.data[:0], make([]byte, room)...)
	b.zstd = z
}

// Data returns the payload, with the room before it. It is valid until the next Begin.
func (b *Builder) Data() []byte { return b.data }

// AddRaw appends bytes that are not a column.
func (b *Builder) AddRaw(raw []byte) { b.data = append(b.data, raw...) }

// Add appends a column of values, plain or delta, whichever is shorter. It omits a column of
// zeros.
func (b *Builder) Add(id uint16, values []uint64) {
	r := Recipe{}
	if len(values) > 1 {
		r, _ = b.best(values, nil, Plain, Delta)
	}
	b.encode(id, r, values, nil)
}

// AddBytes appends a column of bytes.
func (b *Builder) AddBytes(id uint16, text []byte) {
	if len(text) == 0 {
		return
	}
	b.addPlane(text)
	b.finish(id, Recipe{}, len(text), 0)
}

// AddTexts appends a column of lengths, with the ID id, and one of bytes, with the ID id+2.
func (b *Builder) AddTexts(id uint16, texts []string) {
	var all []byte
	sizes := make([]uint64, len(texts))
	for i, t := range texts {
		sizes[i] = uint64(len(t))
		all = append(all, t...)
	}
	b.Add(id, sizes)
	b.AddBytes(id+2, all)
}

// Encode appends a column of values as the recipe says, or plain if its transform does not
// suit them. context holds the values of the recipe's context, as many as values, or nil if
// it has none. Encode omits a column of zeros.
func (b *Builder) Encode(id uint16, r Recipe, values, context []uint64) {
	if r.Context&ContextBefore != 0 {
		b.before = rowBefore(b.before[:0], context)
		context = b.before
	}
	if !b.encode(id, r, values, context) {
		r.Transform = Plain
		b.encode(id, r, values, context)
	}
}

// encode appends values, predicted by context unless that is nil. It returns false if the
// recipe's transform does not suit them.
func (b *Builder) encode(id uint16, r Recipe, values, context []uint64) bool {
	if union(values) == 0 {
		return true
	}
	if r.Transform == Table && !b.table.build(values) {
		return false
	}
	base := b.apply(r, values)
	if context != nil {
		if _, most := bounds(b.numbers); most <= maxPredicted {
			b.predict.predict(b.numbers, b.numbers, context)
		} else {
			r.Context = 0
		}
	}
	if widest := union(b.numbers); r.Tokens && widest <= maxTokenized {
		b.plane, b.rest = appendTokens(b.plane[:0], b.rest[:0], b.numbers)
		b.addPlane(b.plane)
		if len(b.rest) > 0 {
			b.addBits(b.rest)
		}
	} else {
		r.Tokens = false
		for k := range planeWidth(widest) {
			b.plane = splitPlane(b.plane[:0], b.numbers, k)
			b.addPlane(b.plane)
		}
	}
	b.finish(id, r, len(values), base)
	if r.Transform == Table {
		b.encode(id|TableColumn, Recipe{Transform: Delta, Tokens: true}, b.table.values, nil)
	}
	return true
}

// apply applies the recipe's unit and transform to values. It sets b.numbers and returns the
// column's base.
func (b *Builder) apply(r Recipe, values []uint64) (base uint64) {
	unit := uint64(max(r.Unit, 1))
	if unit > 1 {
		b.scaled = grow(b.scaled, len(values))
		for i, v := range values {
			b.scaled[i] = v / unit
		}
		values = b.scaled
	}
	b.numbers = grow(b.numbers, len(values))
	switch r.Transform {
	case Plain:
		base, _ = bounds(values)
		for i, v := range values {
			b.numbers[i] = v - base
		}
	case Delta:
		base = values[0]
		last := base
		for i, v := range values {
			b.numbers[i] = zigzag(v - last)
			last = v
		}
	case Table:
		copy(b.numbers, b.table.index)
	}
	return base * unit
}

// addPlane adds a plane to the current column, compressed if that makes it shorter.
func (b *Builder) addPlane(plane []byte) {
	if b.zstd != nil && len(plane) >= minCompress {
		start := len(b.stored)
		b.stored = b.zstd.EncodeAll(plane, b.stored)
		if n := len(b.stored) - start; n < len(plane) {
			b.lengths = append(b.lengths, uint64(n)<<1|planeCompressed)
			return
		}
		b.stored = b.stored[:start]
	}
	b.addBits(plane)
}

// addBits adds a plane without compressing it.
func (b *Builder) addBits(plane []byte) {
	b.stored = append(b.stored, plane...)
	b.lengths = append(b.lengths, uint64(len(plane))<<1)
}

// finish appends the current column, whose planes have been added, to the payload.
func (b *Builder) finish(id uint16, r Recipe, count int, base uint64) {
	form := byte(r.Transform) | byte(len(b.lengths))<<formPlanes
	if r.Tokens {
		form |= formTokens
	}
	b.data = binary.AppendUvarint(b.data, uint64(id))
	b.data = append(b.data, form)
	for _, v := range []uint64{uint64(r.Context), uint64(r.Unit), uint64(count), base} {
		b.data = binary.AppendUvarint(b.data, v)
	}
	for _, n := range b.lengths {
		b.data = binary.AppendUvarint(b.data, n)
	}
	b.data = append(b.data, b.stored...)
	b.stored, b.lengths = b.stored[:0], b.lengths[:0]
}

// best returns the recipe that encodes values in the fewest bytes with one of the
// transforms, and the number of bytes.
func (b *Builder) best(values, context []uint64, transforms ...Transform) (best Recipe, least int) {
	least = -1
	for _, t := range transforms {
		for _, tokens := range []bool{false, true} {
			r := Recipe{Transform: t, Tokens: tokens}
			size := b.size(r, values, context)
			if size < 0 {
				continue
			}
			if tokens { // they take longer to read
				size += size / 32
			}
			if least < 0 || size < least {
				best, least = r, size
			}
		}
	}
	return best, least
}

// size returns how many bytes values take with a recipe, or -1 if it does not suit them.
func (b *Builder) size(r Recipe, values, context []uint64) int {
	const id = 2 // any
	start := len(b.data)
	if !b.encode(id, r, values, context) {
		return -1
	}
	size := len(b.data) - start
	b.data = b.data[:start]
	return size
}
