package format

import "trapline/format/internal/block"

// These methods encode dictionary blocks. The first row has the ID first.

func (e *encoder) strings(first uint32, rows []string) {
	e.begin()
	e.payload.AddTexts(block.StringLength, rows)
	e.finish(block.Header{Kind: block.Strings, Rows: uint32(len(rows)), First: first})
}

func (e *encoder) images(first uint32, rows []Image) {
	e.begin()
	e.columns(block.ImageKind, fill(e, rows,
		func(v *Image) uint64 { return uint64(v.Kind) },
		func(v *Image) uint64 { return uint64(v.Path) },
		func(v *Image) uint64 { return uint64(v.BuildID) },
		func(v *Image) uint64 { return v.Device },
		func(v *Image) uint64 { return v.Inode }))
	e.finish(block.Header{Kind: block.Images, Rows: uint32(len(rows)), First: first})
}

func (e *encoder) frames(first uint32, rows []Frame) {
	e.begin()
	e.columns(block.FrameImage, fill(e, rows,
		func(v *Frame) uint64 { return uint64(v.Image) },
		func(v *Frame) uint64 { return uint64(v.Kind) },
		func(v *Frame) uint64 { return uint64(v.Flags) },
		func(v *Frame) uint64 { return v.Offset }))
	e.finish(block.Header{Kind: block.Frames, Rows: uint32(len(rows)), First: first})
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
	e.columns(block.StackKernel, columns[:3])
	e.payload.Add(block.StackFrames, frames)
	e.columns(block.StackBack, columns[3:])
	e.finish(block.Header{Kind: block.Stacks, Rows: uint32(len(rows)), First: first})
}

func (e *encoder) tasks(first uint32, rows []Task) {
	e.begin()
	e.columns(block.TaskPID, fill(e, rows,
		func(v *Task) uint64 { return uint64(v.PID) },
		func(v *Task) uint64 { return uint64(v.TID) },
		func(v *Task) uint64 { return uint64(v.Comm) }))
	e.finish(block.Header{Kind: block.Tasks, Rows: uint32(len(rows)), First: first})
}

func (e *encoder) shapes(first uint32, rows []Shape) {
	e.begin()
	e.columns(block.ShapeLength, fill(e, rows, func(v *Shape) uint64 { return uint64(len(v.Fields)) }))
	var fields []Field
	for _, s := range rows {
		fields = append(fields, s.Fields...)
	}
	e.columns(block.FieldName, fill(e, fields,
		func(v *Field) uint64 { return uint64(v.Name) },
		func(v *Field) uint64 { return uint64(v.Type) },
		func(v *Field) uint64 { return uint64(v.Size) },
		func(v *Field) uint64 { return uint64(v.Count) },
		func(v *Field) uint64 { return uint64(v.Names) }))
	e.finish(block.Header{Kind: block.Shapes, Rows: uint32(len(rows)), First: first})
}

func (e *encoder) probes(first uint32, rows []Probe) {
	e.begin()
	e.columns(block.ProbeKind, fill(e, rows,
		func(v *Probe) uint64 { return uint64(v.Kind) },
		func(v *Probe) uint64 { return uint64(v.Name) },
		func(v *Probe) uint64 { return uint64(v.Event) },
		func(v *Probe) uint64 { return uint64(v.Shape) },
		func(v *Probe) uint64 { return v.Period }))
	e.finish(block.Header{Kind: block.Probes, Rows: uint32(len(rows)), First: first})
}

// symbols encodes a SYMBOLS block. all holds the segment's frames, by ID.
func (e *encoder) symbols(syms []Symbol, all []Frame) {
	e.begin()
	e.columns(block.SymbolFrame, fill(e, syms, func(v *Symbol) uint64 { return uint64(v.Frame) }))
	frames := make([]Frame, len(syms))
	for i, s := range syms {
		frames[i] = all[s.Frame]
	}
	sorted := make([]Symbol, len(syms))
	for i, p := range byAddress(frames) {
		sorted[i] = syms[p.number]
	}
	syms = sorted
	starts := make([]uint64, len(syms))
	var calls []Call
	for i, s := range syms {
		if n := len(s.Calls); n > 0 {
			starts[i] = all[s.Frame].Offset - s.Calls[n-1].Offset
		} else if i > 0 {
			starts[i] = starts[i-1] // takes no space
		}
		calls = append(calls, s.Calls...)
	}
	e.columns(block.SymbolLength, fill(e, syms, func(v *Symbol) uint64 { return uint64(len(v.Calls)) }))
	e.columns(block.CallFunction, fill(e, calls,
		func(v *Call) uint64 { return uint64(v.Function) },
		func(v *Call) uint64 { return uint64(v.File) },
		func(v *Call) uint64 { return uint64(v.Line) }))
	e.payload.Add(block.SymbolStart, starts)
	e.finish(block.Header{Kind: block.Symbols, Rows: uint32(len(syms))})
}
