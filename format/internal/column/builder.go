package column

import (
	"encoding/binary"

	"github.com/klauspost/compress/zstd"
)

// A Builder builds the payload of one block after the other. Its buffers are used again.
type Builder struct {
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

// Begin empties the payload. It starts with room for so many bytes, which the caller
// fills, and z compresses its planes, if it is not nil.
func (b *Builder) Begin(room int, z *zstd.Encoder) {
	b.data = append(b.data[:0], make([]byte, room)...)
	b.zstd = z
}

// Data returns the payload, with the room before it. It is valid until Begin is called.
func (b *Builder) Data() []byte { return b.data }

// AddRaw appends bytes that are no column.
func (b *Builder) AddRaw(raw []byte) { b.data = append(b.data, raw...) }

// Add appends values under the better of the simple transforms. A column of zeros is
// left out.
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

// AddTexts appends the column of lengths with the ID and the column of bytes that
// follows it.
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

// Encode appends values under a recipe, or as plain values if its transform does not
// apply to them. context has as many values: those of the recipe's context, nil without
// one. A column of zeros is left out.
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

// encode appends values, predicted by those of the context, or reports that the recipe
// does not apply to them.
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

// apply sets the numbers to what the recipe's unit and transform make of values. It
// returns the column's base.
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

// addPlane adds a plane to the column, compressed if that makes it shorter.
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

// addBits adds a plane that is not worth compressing.
func (b *Builder) addBits(plane []byte) {
	b.stored = append(b.stored, plane...)
	b.lengths = append(b.lengths, uint64(len(plane))<<1)
}

// finish appends the column whose planes have been added.
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

// best returns the recipe with one of the transforms with which values take the fewest
// bytes, and how many.
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

// size returns how many bytes values take under a recipe, -1 if it does not apply to
// them.
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
