package format

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"trapline/format/internal/block"
)

// Limits of a segment, at which SegmentFull says so.
const (
	segmentHits  = 1 << 20
	segmentBytes = 64 << 20
)

// A Writer writes one part. Closed blocks are encoded, compressed and written on
// a goroutine of its own, in order; an error of the underlying writer comes back
// from the next call that writes a block, and from every one after it. A Writer
// is for one goroutine, and must be closed.
type Writer struct {
	interners
	sink     *sink
	queue    *queue
	inside   bool // a segment is open
	sequence uint64
	hits     uint64      // of the segment
	total    uint64      // hits of the part
	start    uint64      // bytes written before the segment
	blocks   []*hitBlock // open ones by shape ID
}

// WriterStats is what has been written so far.
type WriterStats struct {
	Hits   uint64 // given to Hit
	Bytes  uint64 // in the underlying writer
	Blocks uint64
}

var (
	errClosed    = errors.New("capture writer is closed")
	errNoSegment = errors.New("no segment is open in the capture: call StartSegment first")
)

// NewWriter writes the FILE block, with the properties in their order. Nil
// options mean the fastest compression.
func NewWriter(w io.Writer, props []Property, opt *WriterOptions) (*Writer, error) {
	if opt == nil {
		opt = &WriterOptions{Level: -1}
	}
	if opt.Resolution > 1 {
		props = append(slices.Clone(props), Property{KeyResolution, strconv.Itoa(int(opt.Resolution))})
	}
	if len(props) > MaxColumns {
		return nil, fmt.Errorf("capture has %d properties: at most %d fit", len(props), MaxColumns)
	}
	for _, p := range props {
		if len(p.Key) > MaxString || len(p.Value) > MaxString {
			return nil, fmt.Errorf("property %.40q of the capture is longer than %d bytes", p.Key, MaxString)
		}
	}
	s := &sink{w: w}
	wr := &Writer{sink: s, queue: newQueue(newEncoder(s, opt))}
	wr.forget()
	wr.queue.do(func(e *encoder) { e.file(props) })
	if err := wr.wait(); err != nil {
		wr.queue.close()
		return nil, err
	}
	return wr, nil
}

// forget forgets the segment.
func (w *Writer) forget() {
	w.reset()
	w.blocks, w.hits, w.start = nil, 0, w.sink.bytes.Load()
}

// StartSegment begins a segment. All IDs handed out before are void. The segment
// before must have been ended.
func (w *Writer) StartSegment(c Clock) error {
	if w.err != nil {
		return w.err
	}
	if w.inside {
		return errors.New("a segment is open in the capture: call EndSegment first")
	}
	w.forget()
	w.inside = true
	w.sequence++
	start := SegmentStart{Sequence: w.sequence, Clock: c}
	w.queue.do(func(e *encoder) { e.start(start) })
	return w.sink.err()
}

// Hit adds a hit to the block of its probe's shape. h and its arguments are not
// kept.
func (w *Writer) Hit(h *Hit) error {
	if w.err != nil {
		return w.err
	}
	if h.Probe == 0 || int(h.Probe) >= len(w.probes.rows) {
		return w.badHit(fmt.Errorf("hit of probe %d, which the segment does not have", h.Probe))
	}
	shape := w.probes.rows[h.Probe].Shape
	if int(shape) >= len(w.blocks) || w.blocks[shape] == nil {
		if err := w.openBlock(shape); err != nil {
			return w.badHit(err)
		}
	}
	b := w.blocks[shape]
	if len(h.Args) != b.columns-block.HitFixed {
		return w.badHit(fmt.Errorf("hit of probe %d has %d arguments: its shape has %d", h.Probe, len(h.Args), b.columns-block.HitFixed))
	}
	b.add(h)
	w.hits++
	w.total++
	if b.rows == b.limit {
		w.writePending(w.queue)
		w.closeBlock(shape)
		w.err = w.sink.err()
	}
	return w.err
}

func (w *Writer) badHit(err error) error {
	if !w.inside {
		return errNoSegment
	}
	return err
}

// openBlock makes a block for the shape. Shape 0 has no columns.
func (w *Writer) openBlock(shape ShapeID) error {
	columns := 0
	if shape != 0 {
		if int(shape) >= len(w.shapes.rows) {
			return fmt.Errorf("hit of shape %d, which the segment does not have", shape)
		}
		columns = w.shapes.rows[shape].Columns()
	}
	for int(shape) >= len(w.blocks) {
		w.blocks = append(w.blocks, nil)
	}
	w.blocks[shape] = w.queue.hitBlock(shape, block.HitFixed+columns)
	return nil
}

// closeBlock hands the shape's open block over to be written.
func (w *Writer) closeBlock(shape ShapeID) {
	b := w.blocks[shape]
	w.blocks[shape] = nil
	w.queue.hits(b)
}

// Flush writes everything given so far, and returns when the underlying writer
// has it.
func (w *Writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	if !w.inside {
		return w.wait()
	}
	w.writePending(w.queue)
	for shape, b := range w.blocks {
		if b != nil && b.rows > 0 {
			w.closeBlock(ShapeID(shape))
		}
	}
	return w.wait()
}

// wait returns when all blocks handed over have been written.
func (w *Writer) wait() error {
	if w.err != nil {
		return w.err
	}
	w.queue.wait()
	w.err = w.sink.err()
	return w.err
}

// Loss writes the account of hits up to time t, in ns of the part's clock. The
// counts are cumulative from the start of the part.
func (w *Writer) Loss(t uint64, counts []Count) error {
	if err := w.check(); err != nil {
		return err
	}
	w.writePending(w.queue)
	for len(counts) > 0 {
		part := append([]Count(nil), counts[:min(len(counts), MaxValues)]...)
		counts = counts[len(part):]
		w.queue.do(func(e *encoder) { e.loss(t, part) })
	}
	return w.sink.err()
}

// symbolsBlock is how many symbols a block has at most.
const symbolsBlock = blockEntries

// Symbols names frames of the segment: after its hits, before EndSegment. The
// symbols must not be changed before EndSegment returns.
func (w *Writer) Symbols(syms []Symbol) error {
	if err := w.check(); err != nil {
		return err
	}
	w.writePending(w.queue)
	frames := w.frames.rows
	for len(syms) > 0 {
		n, calls := 0, 0
		for n < min(len(syms), symbolsBlock) && (n == 0 || calls+len(syms[n].Calls) <= MaxValues) {
			calls += len(syms[n].Calls)
			n++
		}
		if calls > MaxValues {
			return fmt.Errorf("symbol of frame %d has %d calls: at most %d fit", syms[0].Frame, calls, MaxValues)
		}
		part := syms[:n]
		syms = syms[n:]
		for _, s := range part {
			if s.Frame == 0 || int(s.Frame) >= len(frames) {
				return fmt.Errorf("symbol of frame %d, which the segment does not have", s.Frame)
			}
		}
		w.charge(n*entryCost[block.Symbols] + calls*costCall)
		w.queue.do(func(e *encoder) { e.symbols(part, frames) })
	}
	if w.err != nil {
		return w.err
	}
	return w.sink.err()
}

func (w *Writer) check() error {
	if w.err == nil && !w.inside {
		return errNoSegment
	}
	return w.err
}

// SegmentFull reports whether it is time to end the segment for its size: readers
// hold one segment's dictionaries in memory.
func (w *Writer) SegmentFull() bool {
	return w.hits >= segmentHits || w.memory >= MaxDictionaries/2 ||
		w.sink.bytes.Load()-w.start >= segmentBytes
}

// EndSegment writes everything given so far and the SEGEND block.
func (w *Writer) EndSegment() error {
	if err := w.check(); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	end := w.counts()
	end.Hits = w.hits
	w.queue.do(func(e *encoder) { e.end(end) })
	w.inside = false
	w.forget()
	return w.wait()
}

// Close ends the segment if one is open. It does not close the underlying writer.
func (w *Writer) Close() error {
	if w.err == errClosed {
		return nil
	}
	err := w.err
	if w.inside && err == nil {
		err = w.EndSegment()
	}
	w.queue.close()
	if err == nil {
		err = w.sink.err()
	}
	w.err, w.inside = errClosed, false
	return err
}

// Stats returns what has been written so far.
func (w *Writer) Stats() WriterStats {
	return WriterStats{Hits: w.total, Bytes: w.sink.bytes.Load(), Blocks: w.sink.blocks.Load()}
}
