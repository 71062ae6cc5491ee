package format

import (
	"fmt"

	"trapline/format/internal/block"
)

// interners holds the dictionaries of the segment that a Writer is writing. The Writer
// embeds it, so its exported methods are the Writer's.
type interners struct {
	err     error // of the Writer, sticky
	memory  int   // bytes, counted as the Reader does
	strings interner[string]
	images  interner[Image]
	frames  interner[Frame]
	stacks  stackInterner
	tasks   interner[Task]
	shapes  shapeInterner
	probes  interner[Probe]
}

// reset forgets every ID.
func (in *interners) reset() {
	*in = interners{
		err:     in.err,
		strings: newInterner[string](), images: newInterner[Image](), frames: newInterner[Frame](),
		stacks: newStackInterner(), tasks: newInterner[Task](), shapes: newShapeInterner(), probes: newInterner[Probe](),
	}
}

// charge counts the memory that a reader will need for a new entry.
func (in *interners) charge(n int) {
	if in.memory += n; in.memory > MaxDictionaries && in.err == nil {
		in.err = fmt.Errorf("dictionaries of the capture's segment need more than %d MiB: start segments more often", MaxDictionaries>>20)
	}
}

// String returns the ID of a string. Like the methods below, it returns the same ID for
// the same value until the segment ends. "" has ID 0. A string longer than [MaxString]
// makes the next Hit or Flush fail.
func (in *interners) String(s string) StringID {
	if s == "" {
		return 0
	}
	id, added := in.strings.id(s)
	if added {
		in.newString(s)
	}
	return StringID(id)
}

// StringBytes returns the ID of the string in b. It does not allocate if the string is
// known.
func (in *interners) StringBytes(b []byte) StringID {
	if len(b) == 0 {
		return 0
	}
	if id, ok := in.strings.ids[string(b)]; ok {
		return StringID(id)
	}
	return in.String(string(b))
}

func (in *interners) newString(s string) {
	if len(s) > MaxString && in.err == nil {
		in.err = fmt.Errorf("string of %d bytes in the capture: the maximum is %d", len(s), MaxString)
	}
	in.charge(entryCost[block.Strings] + len(s))
}

// Image returns the ID of an image.
func (in *interners) Image(v Image) ImageID {
	id, added := in.images.id(v)
	if added {
		in.charge(entryCost[block.Images])
	}
	return ImageID(id)
}

// Frame returns the ID of a frame.
func (in *interners) Frame(v Frame) FrameID {
	id, added := in.frames.id(v)
	if added {
		in.charge(entryCost[block.Frames])
	}
	return FrameID(id)
}

// Stack returns the ID of a stack. Its frames are copied.
func (in *interners) Stack(v Stack) StackID {
	if len(v.Frames) > MaxValues && in.err == nil {
		in.err = fmt.Errorf("stack of %d frames in the capture: the maximum is %d", len(v.Frames), MaxValues)
		return 0
	}
	id, added := in.stacks.id(v)
	if added {
		in.charge(entryCost[block.Stacks] + costFrame*len(v.Frames))
	}
	return id
}

// Task returns the ID of a task.
func (in *interners) Task(v Task) TaskID {
	id, added := in.tasks.id(v)
	if added {
		in.charge(entryCost[block.Tasks])
	}
	return TaskID(id)
}

// Shape returns the ID of a shape. Its fields are copied.
func (in *interners) Shape(v Shape) ShapeID {
	id, added := in.shapes.id(v)
	if added {
		in.charge(entryCost[block.Shapes] + costField*len(v.Fields))
		if n := v.Columns(); n > MaxColumns && in.err == nil {
			in.err = fmt.Errorf("shape with %d columns in the capture: the maximum is %d", n, MaxColumns)
		}
	}
	return id
}

// Probe returns the ID of a probe.
func (in *interners) Probe(v Probe) ProbeID {
	id, added := in.probes.id(v)
	if added {
		in.charge(entryCost[block.Probes])
	}
	return ProbeID(id)
}

// Frames returns the segment's frames so far, indexed by ID. Index 0 is unused. The
// caller must not modify the slice.
func (in *interners) Frames() []Frame { return in.frames.rows }

// Images returns the segment's images so far, like Frames.
func (in *interners) Images() []Image { return in.images.rows }

// StringOf returns the string with the ID, "" for 0.
func (in *interners) StringOf(id StringID) string {
	if int(id) >= len(in.strings.rows) {
		return ""
	}
	return in.strings.rows[id]
}

// counts returns the number of entries in each dictionary.
func (in *interners) counts() SegmentEnd {
	return SegmentEnd{
		Strings: uint64(len(in.strings.rows) - 1), Images: uint64(len(in.images.rows) - 1),
		Frames: uint64(len(in.frames.rows) - 1), Stacks: uint64(len(in.stacks.rows) - 1),
		Tasks: uint64(len(in.tasks.rows) - 1), Shapes: uint64(len(in.shapes.rows) - 1),
		Probes: uint64(len(in.probes.rows) - 1),
	}
}
