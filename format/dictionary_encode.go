package format

// Entries of one dictionary block: small enough that no block comes near
// MaxPayload, whatever the entries are.
const (
	blockEntries = 64 << 10
	blockText    = 4 << 20 // bytes of strings
)

// writeDictionaries writes the entries that no block has yet, so that blocks
// after it may refer to them.
func (w *Writer) writeDictionaries() {
	for {
		first, rows := w.pendingStrings()
		if len(rows) == 0 {
			break
		}
		w.out.do(func(e *encoder) { e.strings(first, rows) })
	}
	writePending(w, &w.images, (*encoder).images)
	writePending(w, &w.frames, (*encoder).frames)
	for {
		first, rows := w.stacks.pending(blockEntries)
		if len(rows) == 0 {
			break
		}
		w.out.do(func(e *encoder) { e.stacks(first, rows) })
	}
	writePending(w, &w.tasks, (*encoder).tasks)
	if first, rows := w.shapes.pending(); len(rows) > 0 {
		w.out.do(func(e *encoder) { e.shapes(first, rows) })
	}
	writePending(w, &w.probes, (*encoder).probes)
}

func writePending[T comparable](w *Writer, n *interner[T], encode func(*encoder, uint32, []T)) {
	for {
		first, rows := n.pending(blockEntries)
		if len(rows) == 0 {
			return
		}
		w.out.do(func(e *encoder) { encode(e, first, rows) })
	}
}

// pendingStrings returns strings that are in no block yet, of at most blockText
// bytes unless the first alone is longer.
func (w *Writer) pendingStrings() (first uint32, rows []string) {
	n, size := 0, 0
	for _, s := range w.strings.rows[w.strings.written:] {
		if size += len(s); n == blockEntries || n > 0 && size > blockText {
			break
		}
		n++
	}
	return w.strings.pending(n)
}

func (e *encoder) strings(first uint32, rows []string) {
	e.begin()
	e.texts(stringLength, rows)
	e.finish(header{kind: kindStrings, rows: uint32(len(rows)), first: first})
}

func (e *encoder) images(first uint32, rows []Image) {
	e.begin()
	e.columns(imageKind, fill(e, rows,
		func(v *Image) uint64 { return uint64(v.Kind) },
		func(v *Image) uint64 { return uint64(v.Path) },
		func(v *Image) uint64 { return uint64(v.BuildID) },
		func(v *Image) uint64 { return v.Device },
		func(v *Image) uint64 { return v.Inode }))
	e.finish(header{kind: kindImages, rows: uint32(len(rows)), first: first})
}

func (e *encoder) frames(first uint32, rows []Frame) {
	e.begin()
	e.columns(frameImage, fill(e, rows,
		func(v *Frame) uint64 { return uint64(v.Image) },
		func(v *Frame) uint64 { return uint64(v.Kind) },
		func(v *Frame) uint64 { return uint64(v.Flags) },
		func(v *Frame) uint64 { return v.Offset }))
	e.finish(header{kind: kindFrames, rows: uint32(len(rows)), first: first})
}

func (e *encoder) stacks(first uint32, rows []Stack) {
	e.begin()
	columns := fill(e, rows,
		func(v *Stack) uint64 {
			if v.Kernel {
				return 1
			}
			return 0
		},
		func(v *Stack) uint64 { return uint64(v.Cut) },
		func(v *Stack) uint64 { return uint64(len(v.Frames)) },
		func(*Stack) uint64 { return 0 },
		func(*Stack) uint64 { return 0 })
	var frames []uint64
	for i, s := range rows {
		back, shared := e.outer.find(s)
		inner := s.Frames[:len(s.Frames)-shared]
		columns[2][i], columns[3][i], columns[4][i] = uint64(len(inner)), uint64(back), uint64(shared)
		for _, id := range inner {
			frames = append(frames, uint64(id))
		}
	}
	e.columns(stackKernel, columns[:3])
	e.payload.column(stackFrames, frames)
	e.columns(stackBack, columns[3:])
	e.finish(header{kind: kindStacks, rows: uint32(len(rows)), first: first})
}

func (e *encoder) tasks(first uint32, rows []Task) {
	e.begin()
	e.columns(taskPID, fill(e, rows,
		func(v *Task) uint64 { return uint64(v.PID) },
		func(v *Task) uint64 { return uint64(v.TID) },
		func(v *Task) uint64 { return uint64(v.Comm) }))
	e.finish(header{kind: kindTasks, rows: uint32(len(rows)), first: first})
}

func (e *encoder) shapes(first uint32, rows []Shape) {
	e.begin()
	e.columns(shapeLength, fill(e, rows, func(v *Shape) uint64 { return uint64(len(v.Fields)) }))
	var fields []Field
	for _, s := range rows {
		fields = append(fields, s.Fields...)
	}
	e.columns(fieldName, fill(e, fields,
		func(v *Field) uint64 { return uint64(v.Name) },
		func(v *Field) uint64 { return uint64(v.Type) },
		func(v *Field) uint64 { return uint64(v.Size) },
		func(v *Field) uint64 { return uint64(v.Count) },
		func(v *Field) uint64 { return uint64(v.Names) }))
	e.finish(header{kind: kindShapes, rows: uint32(len(rows)), first: first})
}

func (e *encoder) probes(first uint32, rows []Probe) {
	e.begin()
	e.columns(probeKind, fill(e, rows,
		func(v *Probe) uint64 { return uint64(v.Kind) },
		func(v *Probe) uint64 { return uint64(v.Name) },
		func(v *Probe) uint64 { return uint64(v.Event) },
		func(v *Probe) uint64 { return uint64(v.Shape) },
		func(v *Probe) uint64 { return v.Period }))
	e.finish(header{kind: kindProbes, rows: uint32(len(rows)), first: first})
}
