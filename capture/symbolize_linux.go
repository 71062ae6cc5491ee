package capture

import (
	"cmp"
	"slices"

	"trapline/capture/images"
	"trapline/format"
	"trapline/internal/naming"
	"trapline/internal/symbol"
)

// writeKernelSymbols names the kernel's frames that are new since the last call.
// Their names cost next to nothing and are written with the hits, so that a
// recording that is killed has them.
func (a *assembler) writeKernelSymbols(s *symbolizer) error {
	var symbols []format.Symbol
	for ; a.kernelNamed < len(a.located); a.kernelNamed++ {
		f := a.located[a.kernelNamed]
		if !f.InKernel() {
			continue
		}
		if c := s.kernel.Name(f.Location, back(f)); c.Function != "" {
			symbols = append(symbols, a.symbolOf(a.kernelNamed, []symbol.Call{c}))
		}
	}
	if len(symbols) == 0 {
		return nil
	}
	return a.w.Symbols(symbols)
}

// writeSymbols names the segment's other frames. A frame without a name is
// written, too: it was looked up.
func (a *assembler) writeSymbols(s *symbolizer, progress func(done, total int)) error {
	if err := a.writeKernelSymbols(s); err != nil {
		return err
	}
	s.wait()
	calls := s.name(a.located, naming.Options{Progress: progress})
	var frames []int
	for id := 1; id < len(a.located); id++ {
		if !a.located[id].InKernel() {
			frames = append(frames, id)
		}
	}
	symbols := make([]format.Symbol, len(frames))
	for _, i := range a.byAddress(frames) {
		symbols[i] = a.symbolOf(frames[i], calls[frames[i]])
	}
	return a.w.Symbols(symbols)
}

// byAddress returns the order of the frames by address. Strings that are given IDs in
// this order, in which the format stores symbols, take half the room: names of one
// package stand together, and the IDs of neighbours are near each other.
func (a *assembler) byAddress(frames []int) []int {
	order := make([]int, len(frames))
	for i := range order {
		order[i] = i
	}
	images := make(map[*images.Image]int) // in the order of their first frames
	for _, id := range frames {
		if img := a.located[id].Image; images[img] == 0 {
			images[img] = len(images) + 1
		}
	}
	slices.SortFunc(order, func(i, j int) int {
		f, g := a.located[frames[i]], a.located[frames[j]]
		return cmp.Or(cmp.Compare(images[f.Image], images[g.Image]), cmp.Compare(f.Offset, g.Offset), cmp.Compare(i, j))
	})
	return order
}

func (a *assembler) symbolOf(id int, calls []symbol.Call) format.Symbol {
	sym := format.Symbol{Frame: format.FrameID(id)}
	for _, c := range calls {
		sym.Calls = append(sym.Calls, format.Call{Function: a.w.String(c.Function), File: a.w.String(c.File),
			Line: uint32(c.Line), Offset: c.Offset})
	}
	return sym
}

// back returns how far before a frame's address the call lies that is named.
func back(f images.Frame) uint64 {
	return naming.Frame{Offset: f.Offset, Return: f.Flags&format.FrameReturn != 0}.Back()
}
