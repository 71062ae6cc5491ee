package capture

import (
	"cmp"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"

	"trapline/capture/images"
	"trapline/format"
	"trapline/internal/symbol"
)

// A symbolizer names frames from the images they lie in. Images are opened for
// one segment's frames at a time, so that their tables do not pile up.
type symbolizer struct {
	kernel *images.Kernel
	// Names found before: most frames come back in the next segment.
	named map[images.Frame][]symbol.Call
	// Images that frames were named from ahead, for those that have come since.
	open  map[*images.Image]*openELF
	ahead chan struct{} // closed when the frames named ahead are in named; nil: there are none
}

const (
	// maxNamed bounds what is remembered, to some 30 MB.
	maxNamed = 1 << 17
	// maxOpen bounds the images that stay open, in bytes of their files: their tables are no larger.
	maxOpen = 16 << 20
)

// nameAhead names frames in the background, before the segment ends: few are then
// left for its end, while which no hit is taken in.
func (s *symbolizer) nameAhead(frames []images.Frame) {
	s.ahead = make(chan struct{})
	go func() {
		defer close(s.ahead)
		s.name(frames, true, nil)
	}()
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

// Wait returns when no frames are being named ahead.
func (s *symbolizer) wait() {
	if s.ahead != nil {
		<-s.ahead
	}
}

// Close closes the images that stayed open.
func (s *symbolizer) close() {
	s.wait()
	for _, o := range s.open {
		o.close()
	}
	s.open = nil
}

// Name returns the calls at each frame of user space, by index; nil where there is no name.
// It works on several images at a time, unless it does so while hits are taken in: stayOpen.
// progress is told how many images are done.
func (s *symbolizer) name(frames []images.Frame, stayOpen bool, progress func(done, total int)) [][]symbol.Call {
	workers := runtime.GOMAXPROCS(0)
	if stayOpen {
		workers = 1
	}
	calls := make([][]symbol.Call, len(frames))
	byImage := make(map[*images.Image][]int)
	for i, f := range frames {
		if f.Image == nil {
			continue
		}
		if c, ok := s.named[f]; ok {
			calls[i] = c
			continue
		}
		if k := f.Image.Kind; k == format.ImageELF || k == format.ImageVDSO {
			byImage[f.Image] = append(byImage[f.Image], i)
		}
	}
	order := slices.SortedFunc(maps.Keys(byImage), func(a, b *images.Image) int { return cmp.Compare(len(byImage[b]), len(byImage[a])) })
	var (
		wait  sync.WaitGroup
		lock  sync.Mutex
		done  int
		slots = make(chan struct{}, workers)
		room  = int64(maxOpen)
		stay  = make(map[*images.Image]*openELF)
	)
	for _, img := range order {
		wait.Add(1)
		slots <- struct{}{}
		go func() {
			defer wait.Done()
			o, opened := s.open[img], false
			if o == nil {
				o, opened = openForNames(img), true
			}
			o.name(byImage[img], frames, calls)
			<-slots
			lock.Lock()
			defer lock.Unlock()
			switch {
			case opened && stayOpen && o.size <= room:
				room -= o.size
				stay[img] = o
			case opened:
				o.close()
			}
			if done++; progress != nil {
				progress(done, len(byImage))
			}
		}()
	}
	wait.Wait()
	if stayOpen {
		s.open = stay
	}
	if s.named == nil || len(s.named)+len(frames) > maxNamed {
		s.named = make(map[images.Frame][]symbol.Call)
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

// An openELF is an image whose frames are being named.
type openELF struct {
	elf  *symbol.ELF // nil: it cannot be read
	done func()
	size int64 // of the file, in bytes
}

func openForNames(img *images.Image) *openELF {
	o := &openELF{}
	var r io.ReaderAt
	if r, o.done = images.Open(img); r == nil {
		return o
	}
	if f, ok := r.(*os.File); ok {
		if st, err := f.Stat(); err == nil {
			o.size = st.Size()
		}
	}
	if elf, err := symbol.NewELF(r, symbol.Options{Path: img.Path, Root: img.Root}); err == nil {
		o.elf = elf
	}
	return o
}

func (o *openELF) close() {
	if o.elf != nil {
		o.elf.Close()
	}
	if o.done != nil {
		o.done()
	}
}

// Name names the frames with the indices.
func (o *openELF) name(indices []int, frames []images.Frame, calls [][]symbol.Call) {
	if o.elf == nil {
		return
	}
	for _, i := range indices {
		back := back(frames[i])
		c := o.elf.Lookup(frames[i].Offset - back)
		if len(c) > 0 && back > 0 {
			// c is shared between look-ups.
			c = append([]symbol.Call(nil), c...)
			c[len(c)-1].Offset += back
		}
		calls[i] = c
	}
}
