package format

import (
	"cmp"
	"fmt"
	"slices"
)

// The calls of symbols are stored in the order of the frames' addresses: then
// neighbours are mostly of the same function and file, and their lines are near.
// The frames themselves are listed by ID, which takes next to nothing.

// A place is a frame's address and its number in a list.
type place struct {
	image  ImageID
	number uint32
	offset uint64
}

// byAddress returns where the frames are in the list, in the order of their addresses.
func byAddress(frames []Frame) []place {
	order := make([]place, len(frames))
	for i, f := range frames {
		order[i] = place{f.Image, uint32(i), f.Offset}
	}
	slices.SortFunc(order, func(a, b place) int {
		switch {
		case a.image != b.image:
			return cmp.Compare(a.image, b.image)
		case a.offset != b.offset:
			return cmp.Compare(a.offset, b.offset)
		}
		return cmp.Compare(a.number, b.number)
	})
	return order
}

// symbols writes symbols; all are the segment's frames, by ID.
func (e *encoder) symbols(syms []Symbol, all []Frame) {
	e.begin()
	e.columns(symbolFrame, fill(e, syms, func(v *Symbol) uint64 { return uint64(v.Frame) }))
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
			starts[i] = starts[i-1] // costs nothing
		}
		calls = append(calls, s.Calls...)
	}
	e.columns(symbolLength, fill(e, syms, func(v *Symbol) uint64 { return uint64(len(v.Calls)) }))
	e.columns(callFunction, fill(e, calls,
		func(v *Call) uint64 { return uint64(v.Function) },
		func(v *Call) uint64 { return uint64(v.File) },
		func(v *Call) uint64 { return uint64(v.Line) }))
	e.payload.column(symbolStart, starts)
	e.finish(header{kind: kindSymbols, rows: uint32(len(syms))})
}

func (d *dictionary) symbols() ([]Symbol, error) {
	out, frames, err := d.symbolFrames()
	if err != nil {
		return nil, err
	}
	sizes, total, err := lengths(d.columns, d.rows, symbolLength, MaxValues)
	if err != nil {
		return nil, err
	}
	if err := d.segment.charge(total * costCall); err != nil {
		return nil, err
	}
	starts, err := decode(nil, d.columns, symbolStart, d.rows)
	if err != nil {
		return nil, err
	}
	c, err := several(d.columns, total, callFunction, callFile, callLine)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], max32, "function"), fit(c[1], max32, "file"), fit(c[2], max32, "line")); err != nil {
		return nil, err
	}
	all := make([]Call, total)
	for i := range all {
		all[i] = Call{Function: StringID(c[0][i]), File: StringID(c[1][i]), Line: uint32(c[2][i])}
	}
	for i, p := range byAddress(frames) {
		n := sizes[i]
		calls := all[:n:n]
		all = all[n:]
		if n > 0 {
			calls[n-1].Offset = p.offset - starts[i]
		}
		out[p.number].Calls = calls
	}
	return out, nil
}

// symbolFrames returns a symbol without calls for each frame, and the frames.
func (d *dictionary) symbolFrames() ([]Symbol, []Frame, error) {
	ids, err := decode(nil, d.columns, symbolFrame, d.rows)
	if err != nil {
		return nil, nil, err
	}
	if err := fit(ids, max32, "frame"); err != nil {
		return nil, nil, err
	}
	out, frames := make([]Symbol, d.rows), make([]Frame, d.rows)
	for i, id := range ids {
		f, ok := d.segment.Frame(FrameID(id))
		if !ok {
			return nil, nil, fmt.Errorf("symbols in the order of frames of which frame %d is not known", id)
		}
		out[i].Frame, frames[i] = FrameID(id), f
	}
	return out, frames, nil
}
