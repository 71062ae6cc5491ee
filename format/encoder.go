package format

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// An encoder turns blocks into bytes. It belongs to the output's goroutine.
type encoder struct {
	out           *output
	fast          *zstd.Encoder // for hits
	thorough      *zstd.Encoder // for all else
	w             io.Writer
	payload       payload
	part, segment uint32            // checksums that the blocks carry
	plans         map[ShapeID]*plan // of the segment
	outer         outerFinder       // of the segment
	resolution    uint16            // of hits' times, ns; 0: 1
	scratch       [5][]uint64
	runs          []cpuRun
	room          []uint64 // for the hits of a block
}

func newEncoder(o *output, w io.Writer, opt *WriterOptions) *encoder {
	e := &encoder{out: o, w: w}
	if opt.Resolution > 1 {
		e.resolution = opt.Resolution
	}
	e.fast = newCompressor(opt.Level)
	e.thorough = e.fast
	if opt.Level != 0 {
		e.thorough = newCompressor(max(opt.Level, dictionaryLevel))
	}
	return e
}

// dictionaryLevel is how hard blocks other than hits are compressed at least: there
// is a hundredth as much of them, and they are written once a segment.
const dictionaryLevel = 3

// begin empties the payload, with room for a header before it.
func (e *encoder) begin() *payload {
	p := &e.payload
	p.data = append(p.data[:0], make([]byte, headerSize)...)
	p.zstd = e.thorough
	return p
}

// finish writes the block with the payload's columns.
func (e *encoder) finish(h header) {
	if n := len(e.payload.data) - headerSize; n > MaxPayload {
		e.fail(fmt.Errorf("%s block of %d bytes: at most %d fit", h.kind, n, MaxPayload))
		return
	}
	h.part, h.segment = expected(h.kind, e.part, e.segment)
	if err := e.seal(&h, 0); err != nil {
		e.fail(fmt.Errorf("write capture: %w", err))
	}
}

// seal writes the payload under the header, whose checksums it sets.
func (e *encoder) seal(h *header, flags uint32) error {
	data := e.payload.data
	h.seal(data[:0], flags, data[headerSize:])
	if err := e.write(data); err != nil {
		return err
	}
	e.out.blocks.Add(1)
	switch h.kind {
	case kindFile:
		e.part, e.segment = h.headerCRC, 0
	case kindSegment:
		e.segment = h.headerCRC
	}
	return nil
}

// write writes bytes unless writing has failed before.
func (e *encoder) write(data []byte) error {
	if err := e.out.err(); err != nil {
		return err
	}
	n, err := e.w.Write(data)
	e.out.bytes.Add(uint64(n))
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	return err
}

// expected returns the checksums that a block carries, given those of the part
// and the segment that it is in.
func expected(k kind, part, segment uint32) (uint32, uint32) {
	switch k {
	case kindFile:
		return 0, 0
	case kindSegment:
		return part, 0
	}
	return part, segment
}

func (e *encoder) fail(err error) { e.out.failed.CompareAndSwap(nil, &err) }

// fill fills one scratch column per get function with a value a row.
func fill[T any](e *encoder, rows []T, gets ...func(*T) uint64) [][]uint64 {
	out := make([][]uint64, len(gets))
	for i, get := range gets {
		e.scratch[i] = grow(e.scratch[i], len(rows))
		out[i] = e.scratch[i]
		for j := range rows {
			out[i][j] = get(&rows[j])
		}
	}
	return out
}

// columns appends columns with IDs from first on
func (e *encoder) columns(first uint16, columns [][]uint64) {
	for i, c := range columns {
		e.payload.column(first+2*uint16(i), c)
	}
}

func (e *encoder) file(props []Property) {
	e.begin()
	e.fixed(Version)
	for i, get := range []func(Property) string{
		func(p Property) string { return p.Key },
		func(p Property) string { return p.Value },
	} {
		texts := make([]string, len(props))
		for j := range props {
			texts[j] = get(props[j])
		}
		e.texts(fileKeyLength+4*uint16(i), texts)
	}
	e.finish(header{kind: kindFile, rows: uint32(len(props))})
}

// fixed appends the fixed start of a FILE block.
func (e *encoder) fixed(version uint16) {
	p := &e.payload
	p.data = append(p.data, magic...)
	p.data = binary.LittleEndian.AppendUint16(p.data, version)
	p.data = append(p.data, make([]byte, fileFixed-len(magic)-2)...)
}

// texts appends the column of lengths with the ID and that of bytes after it.
func (e *encoder) texts(id uint16, texts []string) {
	var all []byte
	sizes := make([]uint64, len(texts))
	for i, t := range texts {
		sizes[i] = uint64(len(t))
		all = append(all, t...)
	}
	e.payload.column(id, sizes)
	e.payload.bytes(id+2, all)
}

func (e *encoder) start(s SegmentStart) {
	p := e.begin()
	e.plans = make(map[ShapeID]*plan)
	e.outer.reset()
	for i, v := range []uint64{s.Sequence, s.Clock.Monotonic, s.Clock.Boottime, s.Clock.Realtime} {
		p.column(segmentSequence+2*uint16(i), []uint64{v})
	}
	e.finish(header{kind: kindSegment, rows: 1})
}

func (e *encoder) hits(b *hitBlock) {
	p := e.begin()
	p.zstd = e.fast
	e.runs, e.room = b.byCPU(e.runs, e.room)
	plan := e.plans[b.shape]
	if plan.stale(b) {
		plan = p.newPlan(b, plan)
		e.plans[b.shape] = plan
	}
	plan.blocks++
	plan.hits += b.rows
	for i, r := range plan.recipes {
		if i == columnOf(hitTime) {
			r.unit = e.resolution
		}
		context := p.context(b, r.context)
		if !p.encode(hitColumn(i), r, b.column(i), context) {
			p.encode(hitColumn(i), recipe{context: r.context, tokens: r.tokens, unit: r.unit}, b.column(i), context)
		}
	}
	unit := uint64(max(e.resolution, 1))
	e.finish(header{kind: kindHits, rows: uint32(b.rows), first: uint32(b.shape), tmin: b.tmin / unit * unit, tmax: b.tmax / unit * unit})
}

func (e *encoder) loss(t uint64, counts []Count) {
	e.begin()
	e.columns(lossProbe, fill(e, counts,
		func(c *Count) uint64 { return uint64(c.Probe) },
		func(c *Count) uint64 { return uint64(c.CPU) },
		func(c *Count) uint64 { return uint64(c.Cause) },
		func(c *Count) uint64 { return c.N }))
	e.finish(header{kind: kindLoss, rows: uint32(len(counts)), tmin: t, tmax: t})
}

func (e *encoder) end(s SegmentEnd) {
	p := e.begin()
	for i, v := range []uint64{s.Strings, s.Images, s.Frames, s.Stacks, s.Tasks, s.Shapes, s.Probes, s.Hits} {
		p.column(endStrings+2*uint16(i), []uint64{v})
	}
	e.finish(header{kind: kindSegmentEnd, rows: 1})
}
