package format

import (
	"cmp"
	"fmt"
	"slices"
)

// Symbols of frames in a row are stored in the order of their addresses: then
// neighbours are mostly of the same function and file, and their lines are near.

// byAddress returns numbers 0 to len(frames)-1 in the order of the frames' addresses.
func byAddress(frames []Frame) []uint32 {
	order := make([]uint32, len(frames))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		f, g := &frames[a], &frames[b]
		return cmp.Or(cmp.Compare(f.Image, g.Image), cmp.Compare(f.Offset, g.Offset), cmp.Compare(a, b))
	})
	return order
}

// inRow reports whether the symbols are of frames in a row.
func inRow(syms []Symbol) bool {
	for i := range syms {
		if syms[i].Frame != syms[0].Frame+FrameID(i) {
			return false
		}
	}
	return len(syms) > 0
}

// symbols writes symbols; frames are the segment's, by ID.
func (e *encoder) symbols(syms []Symbol, frames []Frame) {
	e.begin()
	h := header{kind: kindSymbols, rows: uint32(len(syms))}
	if inRow(syms) {
		h.first = uint32(syms[0].Frame)
		order := byAddress(frames[h.first:][:len(syms)])
		sorted := make([]Symbol, len(syms))
		for i, n := range order {
			sorted[i] = syms[n]
		}
		syms = sorted
	} else {
		e.columns(symbolFrame, fill(e, syms, func(v *Symbol) uint64 { return uint64(v.Frame) }))
	}
	starts := make([]uint64, len(syms))
	var calls []Call
	for i, s := range syms {
		if n := len(s.Calls); n > 0 {
			starts[i] = frames[s.Frame].Offset - s.Calls[n-1].Offset
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
	e.finish(h)
}

// symbols decodes symbols. Those of frames that were lost are left out.
func (d *dictionary) symbols() ([]Symbol, error) {
	ids, err := d.symbolFrames()
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
	out := make([]Symbol, 0, d.rows)
	for i, n := range sizes {
		s := Symbol{ids[i], all[:n:n]}
		all = all[n:]
		f, ok := d.segment.Frame(s.Frame)
		if !ok {
			continue
		}
		if n > 0 {
			s.Calls[n-1].Offset = f.Offset - starts[i]
		}
		out = append(out, s)
	}
	return out, nil
}

// symbolFrames returns the frame of each row.
func (d *dictionary) symbolFrames() ([]FrameID, error) {
	out := make([]FrameID, d.rows)
	if d.first == 0 {
		ids, err := decode(nil, d.columns, symbolFrame, d.rows)
		if err != nil {
			return nil, err
		}
		for i, id := range ids {
			out[i] = FrameID(id)
		}
		return out, fit(ids, max32, "frame")
	}
	if uint64(d.first)+uint64(d.rows)-1 > uint64(d.segment.frames.last()) {
		return nil, fmt.Errorf("symbols of frames %d to %d: there are %d", d.first, uint64(d.first)+uint64(d.rows)-1, d.segment.frames.last())
	}
	frames := make([]Frame, d.rows)
	for i := range frames {
		var ok bool
		if frames[i], ok = d.segment.Frame(FrameID(d.first) + FrameID(i)); !ok {
			return nil, fmt.Errorf("symbols in the order of frames of which number %d was lost", d.first+uint32(i))
		}
	}
	for i, n := range byAddress(frames) {
		out[i] = FrameID(d.first) + FrameID(n)
	}
	return out, nil
}
