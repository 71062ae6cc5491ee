package format

import (
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"

	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// An encoder turns blocks into bytes. Only the goroutine of a queue uses it.
type encoder struct {
	sink       *sink
	fast       *zstd.Encoder // for hits
	thorough   *zstd.Encoder // for everything else
	payload    column.Builder
	place      block.Place
	plans      map[ShapeID]*plan // of the segment
	outer      outerFinder       // of the segment
	resolution uint16            // of hits' times, ns; 0: 1
	scratch    [5][]uint64
	runs       []cpuRun
	room       []uint64 // for the hits of a block
}

// dictionaryLevel is the minimum compression level of blocks other than HITS. There are
// far fewer of them, and most are written once per segment.
const dictionaryLevel = 3

func newEncoder(s *sink, opt *WriterOptions) *encoder {
	e := &encoder{sink: s, fast: column.NewCompressor(opt.Level)}
	if opt.Resolution > 1 {
		e.resolution = opt.Resolution
	}
	e.thorough = e.fast
	if opt.Level != 0 {
		e.thorough = column.NewCompressor(max(opt.Level, dictionaryLevel))
	}
	return e
}

// begin starts the payload of the next block.
func (e *encoder) begin() { e.payload.Begin(block.HeaderSize, e.thorough) }

// finish writes the block with the payload built since begin.
func (e *encoder) finish(h block.Header) {
	data := e.payload.Data()
	if n := len(data) - block.HeaderSize; n > MaxPayload {
		e.sink.fail(fmt.Errorf("%s block has %d bytes, more than the maximum of %d", h.Kind, n, MaxPayload))
		return
	}
	h.Part, h.Segment = e.place.Stamps(h.Kind)
	h.Seal(data[:0], data[block.HeaderSize:])
	if err := e.sink.write(data); err != nil {
		e.sink.fail(fmt.Errorf("write capture: %w", err))
		return
	}
	e.place.Pass(&h)
}

// fill fills one scratch column per get function, with one value per row.
func fill[T any](e *encoder, rows []T, gets ...func(*T) uint64) [][]uint64 {
	out := make([][]uint64, len(gets))
	for i, get := range gets {
		e.scratch[i] = slices.Grow(e.scratch[i][:0], len(rows))[:len(rows)]
		out[i] = e.scratch[i]
		for j := range rows {
			out[i][j] = get(&rows[j])
		}
	}
	return out
}

// columns appends columns, with IDs counting up from first.
func (e *encoder) columns(first uint16, columns [][]uint64) {
	for i, c := range columns {
		e.payload.Add(first+2*uint16(i), c)
	}
}

// single appends columns of one value each, with IDs counting up from first.
func (e *encoder) single(first uint16, values ...uint64) {
	for i, v := range values {
		e.payload.Add(first+2*uint16(i), []uint64{v})
	}
}

func (e *encoder) file(props []Property) {
	e.begin()
	e.payload.AddRaw(block.AppendFile(nil, Version))
	keys, values := make([]string, len(props)), make([]string, len(props))
	for i, p := range props {
		keys[i], values[i] = p.Key, p.Value
	}
	e.payload.AddTexts(block.FileKeyLength, keys)
	e.payload.AddTexts(block.FileValueLength, values)
	e.finish(block.Header{Kind: block.File, Rows: uint32(len(props))})
}

// start writes the SEGMENT block and forgets the previous segment.
func (e *encoder) start(s SegmentStart) {
	e.begin()
	e.plans = make(map[ShapeID]*plan)
	e.outer.reset()
	e.single(block.SegmentSequence, s.Sequence, s.Clock.Monotonic, s.Clock.Boottime, s.Clock.Realtime)
	e.finish(block.Header{Kind: block.Segment, Rows: 1})
}

func (e *encoder) hits(b *hitBlock) {
	e.payload.Begin(block.HeaderSize, e.fast)
	e.runs, e.room = b.byCPU(e.runs, e.room)
	p := e.plans[b.shape]
	if p.stale(b) {
		p = newPlan(&e.payload, b, p)
		e.plans[b.shape] = p
	}
	p.blocks++
	p.hits += b.rows
	for i, r := range p.recipes {
		if i == block.HitIndex(block.HitTime) {
			r.Unit = e.resolution
		}
		var context []uint64
		if r.Context != 0 {
			context = b.column(block.HitIndex(r.Context &^ column.ContextBefore))
		}
		e.payload.Encode(block.HitColumn(i), r, b.column(i), context)
	}
	unit := uint64(max(e.resolution, 1))
	e.finish(block.Header{Kind: block.Hits, Rows: uint32(b.rows), First: uint32(b.shape),
		TimeMin: b.tmin / unit * unit, TimeMax: b.tmax / unit * unit})
}

func (e *encoder) loss(t uint64, counts []Count) {
	e.begin()
	e.columns(block.LossProbe, fill(e, counts,
		func(c *Count) uint64 { return uint64(c.Probe) },
		func(c *Count) uint64 { return uint64(c.CPU) },
		func(c *Count) uint64 { return uint64(c.Cause) },
		func(c *Count) uint64 { return c.N }))
	e.finish(block.Header{Kind: block.Loss, Rows: uint32(len(counts)), TimeMin: t, TimeMax: t})
}

func (e *encoder) end(s SegmentEnd) {
	e.begin()
	e.single(block.EndStrings, s.Strings, s.Images, s.Frames, s.Stacks, s.Tasks, s.Shapes, s.Probes, s.Hits)
	e.finish(block.Header{Kind: block.SegmentEnd, Rows: 1})
}
