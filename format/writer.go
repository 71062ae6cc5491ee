package format

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"trapline/format/internal/block"
)

// Limits of a segment, at which SegmentFull returns true.
const (
	segmentHits  = 1 << 20
	segmentBytes = 64 << 20
)

// A Writer writes one part. A separate goroutine encodes, compresses and writes full
// blocks, in order. An error of the underlying writer is returned by the next call that
// writes a block, and by every later one. A Writer must be used by one goroutine at a
// time, and must be closed.
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

// WriterStats counts what has been written so far.
type WriterStats struct {
	Hits   uint64 // passed to Hit
	Bytes  uint64 // written to the underlying writer
	Blocks uint64
}

var (
	errClosed    = errors.New("capture writer is closed")
	errNoSegment = errors.New("no segment is open in the capture: call StartSegment first")
)

// NewWriter returns a Writer after it has written the FILE block, with the properties in
// the given order. Nil options mean the fastest compression.
func NewWriter(w io.Writer, props []Property, opt *WriterOptions) (*Writer, error) {
	if opt == nil {
		opt = &WriterOptions{Level: -1}
	}
	if opt.Resolution > 1 {
		props = append(slices.Clone(props), Property{KeyResolution, strconv.Itoa(int(opt.Resolution))})
	}
	if len(props) > MaxColumns {
		return nil, fmt.Errorf("capture has %d properties: the maximum is %d", len(props), MaxColumns)
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

// forget discards the state of the segment.
func (w *Writer) forget() {
	w.reset()
	w.blocks, w.hits, w.start = nil, 0, w.sink.bytes.Load()
}

// StartSegment begins a segment. Earlier IDs become invalid. The previous segment must
// have been ended.
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

// Hit adds a hit to the block of its probe's shape. It does not keep h or its arguments.
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

// openBlock opens a block for the shape. Shape 0 has no columns.
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

// closeBlock queues the shape's open block.
func (w *Writer) closeBlock(shape ShapeID) {
	b := w.blocks[shape]
	w.blocks[shape] = nil
	w.queue.hits(b)
}

// Flush writes everything passed so far. It returns when the underlying writer has it.
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

// wait returns when all queued blocks have been written.
func (w *Writer) wait() error {
	if w.err != nil {
		return w.err
	}
	w.queue.wait()
	w.err = w.sink.err()
	return w.err
}

// Loss writes the account of hits up to time t, in ns of the part's clock. Counts are
// cumulative from the start of the part.
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

// symbolsBlock is the maximum number of symbols in a block.
const symbolsBlock = blockEntries

// Symbols names frames of the segment. The caller must not modify syms before EndSegment
// returns.
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
			return fmt.Errorf("symbol of frame %d has %d calls: the maximum is %d", syms[0].Frame, calls, MaxValues)
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

// SegmentFull reports whether the segment has grown large enough to be ended. Readers
// hold the dictionaries of one segment in memory.
func (w *Writer) SegmentFull() bool {
	return w.hits >= segmentHits || w.memory >= MaxDictionaries/2 ||
		w.sink.bytes.Load()-w.start >= segmentBytes
}

// EndSegment writes everything passed so far and the SEGEND block.
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

// Stats returns what has been written so far. It may be called after Close.
func (w *Writer) Stats() WriterStats {
	return WriterStats{Hits: w.total, Bytes: w.sink.bytes.Load(), Blocks: w.sink.blocks.Load()}
}
