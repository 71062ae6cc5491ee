package format

import "encoding/binary"

// An indexEntry is one block in the INDEX.
type indexEntry struct {
	offset     uint64 // from the start of the part
	kind       kind
	tmin, tmax uint64
}

// indexMagic ends a capture whose last block is an INDEX; the block's offset is
// in the 8 bytes before.
const indexMagic = "trapidx\x1a"

// maxIndex bounds the entries of an INDEX, so that it fits in a block. Blocks
// beyond are left out: a reader can step through the rest.
const maxIndex = 256 << 10

// index writes the INDEX of the blocks before it.
func (e *encoder) index() {
	entries := e.entries[:min(len(e.entries), maxIndex)]
	offset := e.out.bytes.Load()
	p := e.begin()
	e.columns(indexOffset, fill(e, entries,
		func(v *indexEntry) uint64 { return v.offset },
		func(v *indexEntry) uint64 { return uint64(v.kind) },
		func(v *indexEntry) uint64 { return v.tmin },
		func(v *indexEntry) uint64 { return v.tmax }))
	trailer := binary.LittleEndian.AppendUint64(nil, offset)
	trailer = append(trailer, indexMagic...)
	p.plain(indexTrailer, trailer)
	e.finish(header{kind: kindIndex, rows: uint32(len(entries))})
}
