package naming

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"sync"

	"trapline/internal/symbol"
)

// A Namer names frames. It caches names and indexed images, within [Limits]. All methods
// may be called concurrently.
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

// Options configure [Namer.Name].
type Options struct {
	// Workers is the number of images processed at a time. 0 means one per CPU.
	Workers int
	// Progress, if set, is called with the number of finished images.
	Progress func(done, total int)
}

// Name returns the calls at each frame, by index: innermost call first, each inlined into
// the next one. A frame without a name has nil. Calls are shared: the caller must not
// change them. An error comes from closing images; names are complete nevertheless.
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

// known returns the cached names, and the indices of the other frames by image.
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

// nameIn names the frames with the given indices, which lie in one image.
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

// remember caches new names. If there are too many, it drops all others.
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
