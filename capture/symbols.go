package capture

import (
	"cmp"
	"slices"

	"trapline/capture/images"
	"trapline/format"
	"trapline/internal/naming"
	"trapline/internal/symbol"
)

// writeKernelSymbols names new kernel frames. Naming them is cheap, so their names are
// written along with the hits, and a killed recording has them.
func (a *assembler) writeKernelSymbols(s *symbolizer) error {
	var symbols []format.Symbol
	for ; a.segment.kernelNamed < len(a.segment.located); a.segment.kernelNamed++ {
		f := a.segment.located[a.segment.kernelNamed]
		if !f.InKernel() {
			continue
		}
		if c := s.kernel.Name(f.Location, back(f)); c.Function != "" {
			symbols = append(symbols, a.symbolOf(a.segment.kernelNamed, []symbol.Call{c}))
		}
	}
	if len(symbols) == 0 {
		return nil
	}
	return a.w.Symbols(symbols)
}

// writeSymbols names the other frames of the segment. It also writes frames without a
// name, to show that they were looked up.
func (a *assembler) writeSymbols(s *symbolizer, progress func(done, total int)) error {
	if err := a.writeKernelSymbols(s); err != nil {
		return err
	}
	s.wait()
	calls := s.name(a.segment.located, naming.Options{Progress: progress})
	var frames []int
	for id := 1; id < len(a.segment.located); id++ {
		if !a.segment.located[id].InKernel() {
			frames = append(frames, id)
		}
	}
	symbols := make([]format.Symbol, len(frames))
	for _, i := range a.byAddress(frames) {
		symbols[i] = a.symbolOf(frames[i], calls[frames[i]])
	}
	return a.w.Symbols(symbols)
}

// byAddress returns the order of the frames by address, in which the format stores
// symbols. Interning strings in this order halves their size: related names are adjacent,
// and neighbors have similar IDs.
func (a *assembler) byAddress(frames []int) []int {
	order := make([]int, len(frames))
	for i := range order {
		order[i] = i
	}
	images := make(map[*images.Image]int) // by first frame
	for _, id := range frames {
		if img := a.segment.located[id].Image; images[img] == 0 {
			images[img] = len(images) + 1
		}
	}
	slices.SortFunc(order, func(i, j int) int {
		f, g := a.segment.located[frames[i]], a.segment.located[frames[j]]
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

// back returns how far before a frame's address the named call lies.
func back(f images.Frame) uint64 {
	return naming.Frame{Offset: f.Offset, Return: f.Flags&format.FrameReturn != 0}.Back()
}
