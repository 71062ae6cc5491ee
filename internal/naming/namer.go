package naming

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"sync"

	"trapline/internal/symbol"
)

// A Namer names frames. It remembers the names that it has found and keeps the images
// that it has indexed, within [Limits]. All methods may be called concurrently.
type Namer struct {
	cache *cache

	mu    sync.Mutex
	names map[Frame][]symbol.Call
}

// New returns a Namer.
func New(limits Limits) *Namer {
	limits = limits.withDefaults()
	return &Namer{cache: newCache(limits), names: make(map[Frame][]symbol.Call)}
}

// Close closes all images. The Namer can still be used.
func (n *Namer) Close() error { return n.cache.close() }

// Options say how [Namer.Name] works.
type Options struct {
	// Workers is the number of images that are worked on at a time; 0: one for each CPU.
	Workers int
	// Progress, if set, is told how many of the images are done.
	Progress func(done, total int)
}

// Name returns the calls at each frame, by index: innermost call first, all but the last
// inlined into the next one; nil where there is no name. Calls are shared: they must not
// be changed. The error is of closing images; names are complete all the same.
func (n *Namer) Name(frames []Frame, opt Options) ([][]symbol.Call, error) {
	calls, byImage := n.known(frames)
	order := slices.SortedFunc(maps.Keys(byImage), func(a, b Image) int { return cmp.Compare(len(byImage[b]), len(byImage[a])) })
	workers := opt.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var (
		wait  sync.WaitGroup
		lock  sync.Mutex
		first error
		done  int
		next  = make(chan Image)
	)
	for range min(workers, len(order)) {
		wait.Go(func() {
			for image := range next {
				err := n.nameIn(image, byImage[image], frames, calls)
				lock.Lock()
				first = cmp.Or(first, err)
				if done++; opt.Progress != nil {
					opt.Progress(done, len(order))
				}
				lock.Unlock()
			}
		})
	}
	for _, image := range order {
		next <- image
	}
	close(next)
	wait.Wait()
	n.remember(frames, calls, byImage)
	return calls, first
}

// known returns the names that were found before, and the indices of the other frames
// by image.
func (n *Namer) known(frames []Frame) (calls [][]symbol.Call, byImage map[Image][]int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	calls = make([][]symbol.Call, len(frames))
	byImage = make(map[Image][]int)
	for i, f := range frames {
		if f.Image == nil {
			continue
		}
		if c, ok := n.names[f]; ok {
			calls[i] = c
		} else {
			byImage[f.Image] = append(byImage[f.Image], i)
		}
	}
	return calls, byImage
}

// nameIn names the frames with some indices, which lie in one image.
func (n *Namer) nameIn(image Image, indices []int, frames []Frame, calls [][]symbol.Call) error {
	valid, err := n.cache.use(image, func(e *symbol.ELF) {
		if e == nil {
			return
		}
		for _, i := range indices {
			calls[i] = frames[i].lookup(e)
		}
	})
	if !valid {
		for _, i := range indices {
			calls[i] = nil
		}
	}
	return err
}

// remember keeps the names that were found, and forgets all others if there are too many.
func (n *Namer) remember(frames []Frame, calls [][]symbol.Call, byImage map[Image][]int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	limit := n.cache.limits.Names
	if len(n.names)+len(frames) > limit {
		clear(n.names)
	}
	for _, indices := range byImage {
		for _, i := range indices {
			if len(n.names) < limit {
				n.names[frames[i]] = calls[i]
			}
		}
	}
}
