package format

import (
	"fmt"
	"math"
	"sync"

	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// A Segment holds the dictionaries of one segment, as far as they have been read. Any
// number of goroutines may look entries up while [Reader.Next] adds more. Accessors
// accept any ID: for 0, for undefined IDs and for those in a lost block, ok is false.
type Segment struct {
	start   SegmentStart
	budget  budget
	strings table[string]
	images  table[Image]
	frames  table[Frame]
	stacks  table[Stack]
	tasks   table[Task]
	shapes  table[Shape]
	probes  table[Probe]

	symbolsMu sync.RWMutex
	symbols   map[FrameID]Symbol
}

// Start returns the block that began the segment.
func (s *Segment) Start() SegmentStart { return s.start }

// String returns the string with the ID: "" for 0, "[lost]" for an unknown ID.
func (s *Segment) String(id StringID) string {
	if id == 0 {
		return ""
	}
	if text, ok := s.strings.get(uint32(id)); ok {
		return text
	}
	return "[lost]"
}

// Image returns the image with the ID.
func (s *Segment) Image(id ImageID) (Image, bool) { return s.images.get(uint32(id)) }

// Frame returns the frame with the ID.
func (s *Segment) Frame(id FrameID) (Frame, bool) { return s.frames.get(uint32(id)) }

// Stack returns the stack with the ID. The caller must not modify its frames.
func (s *Segment) Stack(id StackID) (Stack, bool) {
	st, ok := s.stacks.get(uint32(id))
	if st.Frames == nil { // it shared frames with a lost stack
		return Stack{}, false
	}
	return st, ok
}

// Task returns the task with the ID.
func (s *Segment) Task(id TaskID) (Task, bool) { return s.tasks.get(uint32(id)) }

// Shape returns the shape with the ID. The caller must not modify its fields.
func (s *Segment) Shape(id ShapeID) (Shape, bool) { return s.shapes.get(uint32(id)) }

// Probe returns the probe with the ID.
func (s *Segment) Probe(id ProbeID) (Probe, bool) { return s.probes.get(uint32(id)) }

// Symbol returns the symbol of a frame. The caller must not modify its calls.
func (s *Segment) Symbol(id FrameID) (Symbol, bool) {
	s.symbolsMu.RLock()
	defer s.symbolsMu.RUnlock()
	sym, ok := s.symbols[id]
	return sym, ok
}

// NumStrings returns the highest ID of a string. The methods below do the same for the
// other dictionaries.
func (s *Segment) NumStrings() int { return int(s.strings.last()) }
func (s *Segment) NumImages() int  { return int(s.images.last()) }
func (s *Segment) NumFrames() int  { return int(s.frames.last()) }
func (s *Segment) NumStacks() int  { return int(s.stacks.last()) }
func (s *Segment) NumTasks() int   { return int(s.tasks.last()) }
func (s *Segment) NumShapes() int  { return int(s.shapes.last()) }
func (s *Segment) NumProbes() int  { return int(s.probes.last()) }

// take decodes a dictionary block into the segment. If it returns an error, the segment
// has not changed.
func (s *Segment) take(h block.Header, columns column.Set) error {
	rows := int(h.Rows)
	if rows > MaxValues {
		return fmt.Errorf("%d entries in one block, more than the maximum", rows)
	}
	if err := s.budget.charge(rows * entryCost[h.Kind]); err != nil {
		return err
	}
	d := dictionary{budget: &s.budget, columns: columns, first: h.First, rows: rows}
	switch h.Kind {
	case block.Strings:
		return addRows(&s.strings, h, d.strings)
	case block.Images:
		return addRows(&s.images, h, d.images)
	case block.Frames:
		return addRows(&s.frames, h, d.frames)
	case block.Stacks:
		return addRows(&s.stacks, h, func() ([]Stack, error) { return d.stacks(&s.stacks) })
	case block.Tasks:
		return addRows(&s.tasks, h, d.tasks)
	case block.Shapes:
		return addRows(&s.shapes, h, d.shapes)
	case block.Probes:
		return addRows(&s.probes, h, d.probes)
	case block.Symbols:
		return s.addSymbols(&d)
	}
	return fmt.Errorf("block of kind %d is not a dictionary", h.Kind)
}

// addRows decodes the rows of a block and adds them to the table. It refuses a block
// that defines IDs again, because entries never change.
func addRows[T any](t *table[T], h block.Header, rows func() ([]T, error)) error {
	if h.Rows == 0 {
		return nil
	}
	if h.First <= t.last() || h.Rows > math.MaxUint32-h.First {
		return fmt.Errorf("entries %d to %d follow entry %d", h.First, uint64(h.First)+uint64(h.Rows)-1, t.last())
	}
	list, err := rows()
	if err != nil {
		return err
	}
	t.add(h.First, list)
	return nil
}

func (s *Segment) addSymbols(d *dictionary) error {
	list, err := d.symbols(&s.frames)
	if err != nil {
		return err
	}
	s.symbolsMu.Lock()
	defer s.symbolsMu.Unlock()
	if s.symbols == nil {
		s.symbols = make(map[FrameID]Symbol, len(list))
	}
	for _, sym := range list {
		s.symbols[sym.Frame] = sym
	}
	return nil
}
