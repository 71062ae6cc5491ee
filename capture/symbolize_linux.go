package capture

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"trapline/format"
	"trapline/internal/symbol"
)

// A symbolizer names frames from the images they lie in. Images are opened for
// one batch of frames at a time, so that their tables do not pile up.
type symbolizer struct {
	kernel *kernelImages
	// Names found before: most frames of a segment come back in the next one. Not
	// to be touched while ahead is closed but set.
	named map[stackFrame][]symbol.Call
	ahead chan struct{} // closed when the frames named ahead are in named; nil: there are none
	rest  time.Time     // before which no more frames are named ahead
}

// maxNamed bounds what is remembered, to some 30 MB.
const maxNamed = 1 << 17

// aheadShare is the share of a CPU, one in so many parts, that naming frames ahead may take.
const aheadShare = 8

// nameAhead names new frames in the background, so that few are left when a
// segment ends: no hit is taken in meanwhile. It reports whether it does; not if
// it is still at the ones before.
func (s *symbolizer) nameAhead(frames []stackFrame) bool {
	if s.busy() || time.Now().Before(s.rest) || len(s.named) >= maxNamed {
		return false
	}
	s.ahead = make(chan struct{})
	go func() {
		defer close(s.ahead)
		begun := time.Now()
		s.name(frames, 1, nil)
		s.rest = time.Now().Add((aheadShare - 1) * time.Since(begun))
	}()
	return true
}

// busy reports whether frames are being named ahead.
func (s *symbolizer) busy() bool {
	if s.ahead == nil {
		return false
	}
	select {
	case <-s.ahead:
		return false
	default:
		return true
	}
}

// wait returns when no frames are being named ahead.
func (s *symbolizer) wait() {
	if s.ahead != nil {
		<-s.ahead
	}
}

// name returns the calls at each frame of user space, by index; nil where there is no name.
// It works on several images at a time. progress is told how many images are done.
func (s *symbolizer) name(frames []stackFrame, workers int, progress func(done, total int)) [][]symbol.Call {
	calls := make([][]symbol.Call, len(frames))
	byImage := make(map[*image][]int)
	for i, f := range frames {
		if f.image == nil {
			continue
		}
		if c, ok := s.named[f]; ok {
			calls[i] = c
			continue
		}
		if k := f.image.kind; k == format.ImageELF || k == format.ImageVDSO {
			byImage[f.image] = append(byImage[f.image], i)
		}
	}
	var (
		wait  sync.WaitGroup
		lock  sync.Mutex
		done  int
		slots = make(chan struct{}, workers)
	)
	for img, indices := range byImage {
		wait.Add(1)
		slots <- struct{}{}
		go func() {
			defer wait.Done()
			s.nameImage(img, indices, frames, calls)
			<-slots
			lock.Lock()
			defer lock.Unlock()
			if done++; progress != nil {
				progress(done, len(byImage))
			}
		}()
	}
	wait.Wait()
	if s.named == nil || len(s.named)+len(frames) > maxNamed {
		s.named = make(map[stackFrame][]symbol.Call)
	}
	for _, indices := range byImage {
		for _, i := range indices {
			if len(s.named) < maxNamed {
				s.named[frames[i]] = calls[i]
			}
		}
	}
	return calls
}

func (s *symbolizer) nameImage(img *image, indices []int, frames []stackFrame, calls [][]symbol.Call) {
	r, done := openImage(img)
	if r == nil {
		return
	}
	defer done()
	elf, err := symbol.NewELF(r, symbol.Options{Path: img.path, Root: img.root})
	if err != nil {
		return
	}
	defer elf.Close()
	for _, i := range indices {
		back := back(frames[i])
		c := elf.Lookup(frames[i].offset - back)
		if len(c) > 0 && back > 0 {
			// c is shared between look-ups.
			c = append([]symbol.Call(nil), c...)
			c[len(c)-1].Offset += back
		}
		calls[i] = c
	}
}

// back is how far before a frame's address its call lies, as far as symbols are concerned.
func back(f stackFrame) uint64 {
	if f.flags&format.FrameReturn != 0 && f.offset > 0 {
		return 1
	}
	return 0
}

// openImage returns the image's bytes and what gives them back; nil when it cannot be had.
func openImage(img *image) (io.ReaderAt, func()) {
	switch {
	case img.kind == format.ImageVDSO:
		if v, err := symbol.VDSO(); err == nil {
			return v, func() {}
		}
	case img.file != nil:
		return img.file, func() {}
	default:
		if f, err := os.Open(filepath.Join(img.root, img.path)); err == nil {
			return f, func() { f.Close() }
		}
	}
	return nil, nil
}

// writeKernelSymbols names the kernel's frames that are new since the last call.
// Their names cost next to nothing and are written with the hits, so that a
// recording that is killed has them.
func (a *assembler) writeKernelSymbols(s *symbolizer) error {
	var symbols []format.Symbol
	for ; a.kernelNamed < len(a.located); a.kernelNamed++ {
		f := a.located[a.kernelNamed]
		if !f.inKernel() {
			continue
		}
		if c := s.kernel.name(f.location, back(f)); c.Function != "" {
			symbols = append(symbols, a.symbolOf(a.kernelNamed, []symbol.Call{c}))
		}
	}
	if len(symbols) == 0 {
		return nil
	}
	return a.w.Symbols(symbols)
}

// nameAhead has the user frames named that are new since the last call.
func (a *assembler) nameAhead(s *symbolizer) {
	if a.namedAhead < len(a.located) && s.nameAhead(slices.Clone(a.located[a.namedAhead:])) {
		a.namedAhead = len(a.located)
	}
}

// writeSymbols names the segment's other frames. A frame without a name is
// written, too: it was looked up.
func (a *assembler) writeSymbols(s *symbolizer, progress func(done, total int)) error {
	if err := a.writeKernelSymbols(s); err != nil {
		return err
	}
	s.wait()
	calls := s.name(a.located, runtime.GOMAXPROCS(0), progress)
	var frames []int
	for id := 1; id < len(a.located); id++ {
		if !a.located[id].inKernel() {
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
	images := make(map[*image]int) // in the order of their first frames
	for _, id := range frames {
		if img := a.located[id].image; images[img] == 0 {
			images[img] = len(images) + 1
		}
	}
	slices.SortFunc(order, func(i, j int) int {
		f, g := a.located[frames[i]], a.located[frames[j]]
		return cmp.Or(cmp.Compare(images[f.image], images[g.image]), cmp.Compare(f.offset, g.offset), cmp.Compare(i, j))
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
