package format

import (
	"fmt"

	"trapline/format/internal/block"
)

// The dictionaries of the segment that a Writer writes. Their methods are the Writer's.
type dictionaries struct {
	err     error // of the Writer, sticky
	memory  int   // counted as the Reader does
	strings interner[string]
	images  interner[Image]
	frames  interner[Frame]
	stacks  stackInterner
	tasks   interner[Task]
	shapes  shapeInterner
	probes  interner[Probe]
}

// reset forgets every ID.
func (d *dictionaries) reset() {
	*d = dictionaries{
		err:     d.err,
		strings: newInterner[string](), images: newInterner[Image](), frames: newInterner[Frame](),
		stacks: newStackInterner(), tasks: newInterner[Task](), shapes: newShapeInterner(), probes: newInterner[Probe](),
	}
}

// charge counts memory that a reader needs for a new entry.
func (d *dictionaries) charge(n int) {
	if d.memory += n; d.memory > MaxDictionaries && d.err == nil {
		d.err = fmt.Errorf("dictionaries of the capture's segment take more than %d MiB: start segments more often", MaxDictionaries>>20)
	}
}

// String returns the ID of the text, as all of these methods do for their kind of
// value: the same ID for the same value until the segment ends. "" is 0. A string
// longer than [MaxString] makes the next Hit or Flush fail.
func (d *dictionaries) String(s string) StringID {
	if s == "" {
		return 0
	}
	id, added := d.strings.id(s)
	if added {
		d.newString(s)
	}
	return StringID(id)
}

// StringBytes returns the ID of the text in b. It does not allocate when the text
// is known.
func (d *dictionaries) StringBytes(b []byte) StringID {
	if len(b) == 0 {
		return 0
	}
	if id, ok := d.strings.ids[string(b)]; ok {
		return StringID(id)
	}
	return d.String(string(b))
}

func (d *dictionaries) newString(s string) {
	if len(s) > MaxString && d.err == nil {
		d.err = fmt.Errorf("string of %d bytes in the capture: at most %d fit", len(s), MaxString)
	}
	d.charge(entryCost[block.Strings] + len(s))
}

// Image returns the ID of an image.
func (d *dictionaries) Image(v Image) ImageID {
	id, added := d.images.id(v)
	if added {
		d.charge(entryCost[block.Images])
	}
	return ImageID(id)
}

// Frame returns the ID of a frame.
func (d *dictionaries) Frame(v Frame) FrameID {
	id, added := d.frames.id(v)
	if added {
		d.charge(entryCost[block.Frames])
	}
	return FrameID(id)
}

// Stack returns the ID of a stack. Its frames are copied.
func (d *dictionaries) Stack(v Stack) StackID {
	if len(v.Frames) > MaxValues && d.err == nil {
		d.err = fmt.Errorf("stack of %d frames in the capture: at most %d fit", len(v.Frames), MaxValues)
		return 0
	}
	id, added := d.stacks.id(v)
	if added {
		d.charge(entryCost[block.Stacks] + costFrame*len(v.Frames))
	}
	return id
}

// Task returns the ID of a task.
func (d *dictionaries) Task(v Task) TaskID {
	id, added := d.tasks.id(v)
	if added {
		d.charge(entryCost[block.Tasks])
	}
	return TaskID(id)
}

// Shape returns the ID of a shape. Its fields are copied.
func (d *dictionaries) Shape(v Shape) ShapeID {
	id, added := d.shapes.id(v)
	if added {
		d.charge(entryCost[block.Shapes] + costField*len(v.Fields))
		if n := v.Columns(); n > MaxColumns && d.err == nil {
			d.err = fmt.Errorf("shape with %d columns in the capture: at most %d fit", n, MaxColumns)
		}
	}
	return id
}

// Probe returns the ID of a probe.
func (d *dictionaries) Probe(v Probe) ProbeID {
	id, added := d.probes.id(v)
	if added {
		d.charge(entryCost[block.Probes])
	}
	return ProbeID(id)
}

// Frames returns the segment's frames so far; Frames()[id] is the frame with the
// ID, and index 0 is unused. It must not be changed.
func (d *dictionaries) Frames() []Frame { return d.frames.rows }

// Images returns the segment's images so far, as Frames does.
func (d *dictionaries) Images() []Image { return d.images.rows }

// StringOf returns the text of an ID of the segment, "" for 0.
func (d *dictionaries) StringOf(id StringID) string {
	if int(id) >= len(d.strings.rows) {
		return ""
	}
	return d.strings.rows[id]
}

// counts returns how many entries each dictionary has.
func (d *dictionaries) counts() SegmentEnd {
	return SegmentEnd{
		Strings: uint64(len(d.strings.rows) - 1), Images: uint64(len(d.images.rows) - 1),
		Frames: uint64(len(d.frames.rows) - 1), Stacks: uint64(len(d.stacks.rows) - 1),
		Tasks: uint64(len(d.tasks.rows) - 1), Shapes: uint64(len(d.shapes.rows) - 1),
		Probes: uint64(len(d.probes.rows) - 1),
	}
}
