package format

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// WriterOptions says how a capture is written.
type WriterOptions struct {
	// Level is how hard to compress: 0 not at all, 1 fastest to 4 best.
	// Negative, as when no options are given: 1.
	Level int
	// Resolution is what times of hits are rounded down to a multiple of, in ns:
	// half of a capture's size is the digits of its times below 1 us. 0 is 1.
	// Above that NewWriter adds the property [KeyResolution].
	Resolution uint16
}

// blockHits is how many hits fill a block: fewer compress worse, more are lost
// when the recorder is killed.
const blockHits = 16384

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
	out      *output
	err      error // sticky
	inside   bool  // a segment is open
	sequence uint64
	hits     uint64 // of the segment
	total    uint64 // hits of the part
	start    uint64 // bytes written before the segment
	memory   int    // of the segment's dictionaries, counted as the Reader does

	strings interner[string]
	images  interner[Image]
	frames  interner[Frame]
	stacks  stackInterner
	tasks   interner[Task]
	shapes  shapeInterner
	probes  interner[Probe]
	blocks  []*hitBlock // open ones by shape ID
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
	wr := &Writer{out: newOutput(w, opt)}
	wr.reset()
	wr.out.do(func(e *encoder) { e.file(props) })
	if err := wr.wait(); err != nil {
		wr.out.close()
		return nil, err
	}
	return wr, nil
}

// reset forgets every ID.
func (w *Writer) reset() {
	w.strings, w.images, w.frames = newInterner[string](), newInterner[Image](), newInterner[Frame]()
	w.stacks, w.tasks, w.probes = newStackInterner(), newInterner[Task](), newInterner[Probe]()
	w.shapes, w.blocks = shapeInterner{}, nil
	w.hits, w.memory, w.start = 0, 0, w.out.bytes.Load()
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
	w.reset()
	w.inside = true
	w.sequence++
	start := SegmentStart{Sequence: w.sequence, Clock: c}
	w.out.do(func(e *encoder) { e.start(start) })
	return w.out.err()
}

// charge counts memory that a reader needs for a new entry.
func (w *Writer) charge(n int) {
	if w.memory += n; w.memory > MaxDictionaries && w.err == nil {
		w.err = fmt.Errorf("dictionaries of the capture's segment take more than %d MiB: start segments more often", MaxDictionaries>>20)
	}
}

// String returns the ID of the text, as all of these methods do for their kind of
// value: the same ID for the same value until the segment ends. "" is 0. A string
// longer than [MaxString] makes the next Hit or Flush fail.
func (w *Writer) String(s string) StringID {
	if s == "" {
		return 0
	}
	id, added := w.strings.id(s)
	if added {
		w.newString(s)
	}
	return StringID(id)
}

// StringBytes returns the ID of the text in b. It does not allocate when the text
// is known.
func (w *Writer) StringBytes(b []byte) StringID {
	if len(b) == 0 {
		return 0
	}
	if id, ok := w.strings.ids[string(b)]; ok {
		return StringID(id)
	}
	return w.String(string(b))
}

func (w *Writer) newString(s string) {
	if len(s) > MaxString && w.err == nil {
		w.err = fmt.Errorf("string of %d bytes in the capture: at most %d fit", len(s), MaxString)
	}
	w.charge(cost[kindStrings] + len(s))
}

// Image returns the ID of an image.
func (w *Writer) Image(v Image) ImageID {
	id, added := w.images.id(v)
	if added {
		w.charge(cost[kindImages])
	}
	return ImageID(id)
}

// Frame returns the ID of a frame.
func (w *Writer) Frame(v Frame) FrameID {
	id, added := w.frames.id(v)
	if added {
		w.charge(cost[kindFrames])
	}
	return FrameID(id)
}

// Stack returns the ID of a stack. Its frames are copied.
func (w *Writer) Stack(v Stack) StackID {
	if len(v.Frames) > MaxValues && w.err == nil {
		w.err = fmt.Errorf("stack of %d frames in the capture: at most %d fit", len(v.Frames), MaxValues)
		return 0
	}
	id, added := w.stacks.id(v)
	if added {
		w.charge(cost[kindStacks] + costFrame*len(v.Frames))
	}
	return id
}

// Task returns the ID of a task.
func (w *Writer) Task(v Task) TaskID {
	id, added := w.tasks.id(v)
	if added {
		w.charge(cost[kindTasks])
	}
	return TaskID(id)
}

// Shape returns the ID of a shape. Its fields are copied.
func (w *Writer) Shape(v Shape) ShapeID {
	id, added := w.shapes.id(v)
	if added {
		w.charge(cost[kindShapes] + costField*len(v.Fields))
		if n := v.Columns(); n > MaxColumns && w.err == nil {
			w.err = fmt.Errorf("shape with %d columns in the capture: at most %d fit", n, MaxColumns)
		}
	}
	return id
}

// Probe returns the ID of a probe.
func (w *Writer) Probe(v Probe) ProbeID {
	id, added := w.probes.id(v)
	if added {
		w.charge(cost[kindProbes])
	}
	return ProbeID(id)
}

// Frames returns the segment's frames so far; Frames()[id] is the frame with the
// ID, and index 0 is unused. It must not be changed.
func (w *Writer) Frames() []Frame { return w.frames.rows }

// Images returns the segment's images so far, as Frames does.
func (w *Writer) Images() []Image { return w.images.rows }

// StringOf returns the text of an ID of the segment, "" for 0.
func (w *Writer) StringOf(id StringID) string {
	if int(id) >= len(w.strings.rows) {
		return ""
	}
	return w.strings.rows[id]
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
	if len(h.Args) != b.columns-hitFixed {
		return w.badHit(fmt.Errorf("hit of probe %d has %d arguments: its shape has %d", h.Probe, len(h.Args), b.columns-hitFixed))
	}
	b.add(h)
	w.hits++
	w.total++
	if b.rows == b.limit {
		w.writeDictionaries()
		w.closeBlock(shape)
		w.err = w.out.err()
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
	w.blocks[shape] = w.out.block(shape, hitFixed+columns)
	return nil
}

// closeBlock hands the shape's open block over to be written.
func (w *Writer) closeBlock(shape ShapeID) {
	b := w.blocks[shape]
	w.blocks[shape] = nil
	w.out.do(func(e *encoder) {
		e.hits(b)
		e.out.free(b)
	})
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
	w.writeDictionaries()
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
	done := make(chan struct{})
	w.out.do(func(*encoder) { close(done) })
	<-done
	w.err = w.out.err()
	return w.err
}

// Loss writes the account of hits up to time t, in ns of the part's clock. The
// counts are cumulative from the start of the part.
func (w *Writer) Loss(t uint64, counts []Count) error {
	if err := w.check(); err != nil {
		return err
	}
	w.writeDictionaries()
	for len(counts) > 0 {
		part := append([]Count(nil), counts[:min(len(counts), MaxValues)]...)
		counts = counts[len(part):]
		w.out.do(func(e *encoder) { e.loss(t, part) })
	}
	return w.out.err()
}

// symbolsBlock is how many symbols a block has at most.
const symbolsBlock = blockEntries

// Symbols names frames of the segment: after its hits, before EndSegment. The
// symbols must not be changed before EndSegment returns.
func (w *Writer) Symbols(syms []Symbol) error {
	if err := w.check(); err != nil {
		return err
	}
	w.writeDictionaries()
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
		w.charge(n*cost[kindSymbols] + calls*costCall)
		w.out.do(func(e *encoder) { e.symbols(part, frames) })
	}
	if w.err != nil {
		return w.err
	}
	return w.out.err()
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
		w.out.bytes.Load()-w.start >= segmentBytes
}

// EndSegment writes everything given so far and the SEGEND block.
func (w *Writer) EndSegment() error {
	if err := w.check(); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	end := SegmentEnd{
		Strings: uint64(len(w.strings.rows) - 1), Images: uint64(len(w.images.rows) - 1),
		Frames: uint64(len(w.frames.rows) - 1), Stacks: uint64(len(w.stacks.rows) - 1),
		Tasks: uint64(len(w.tasks.rows) - 1), Shapes: uint64(max(len(w.shapes.rows), 1) - 1),
		Probes: uint64(len(w.probes.rows) - 1), Hits: w.hits,
	}
	w.out.do(func(e *encoder) { e.end(end) })
	w.inside = false
	w.reset()
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
	w.out.close()
	if err == nil {
		err = w.out.err()
	}
	w.err, w.inside = errClosed, false
	return err
}

// Stats returns what has been written so far.
func (w *Writer) Stats() WriterStats {
	return WriterStats{Hits: w.total, Bytes: w.out.bytes.Load(), Blocks: w.out.blocks.Load()}
}
