package teach

import (
	"cmp"
	"os"
	"slices"
	"sync"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/unwind"
)

// A rowLoader loads the rules of whole images (bpf/stacks/rows.h) in the background when
// an image is first seen. Until then BPF programs send the stacks that they cannot walk.
type rowLoader struct {
	rows, images *ebpf.Map
	used         int // of rows; owned by the loading goroutine

	asked  map[uint64]bool // by image key; owned by the recorder
	loaded sync.WaitGroup

	lock   sync.Mutex
	added  *sync.Cond
	wanted []wantedRows
	closed bool
}

type wantedRows struct {
	key   uint64
	image *unwind.Image
	size  uint64 // bytes of code
}

// maxWanted limits the queued images.
const maxWanted = 1 << 12

func newRowLoader() *rowLoader {
	r := &rowLoader{asked: make(map[uint64]bool)}
	r.added = sync.NewCond(&r.lock)
	return r
}

// start starts loading rows into the maps of the programs.
func (r *rowLoader) start(rows, images *ebpf.Map) {
	r.rows, r.images = rows, images
	r.loaded.Add(1)
	go r.run()
}

// want queues an image, once.
func (r *rowLoader) want(key uint64, image *unwind.Image) {
	if r.asked[key] || image == nil {
		return
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if len(r.wanted) >= maxWanted {
		return // later
	}
	r.asked[key] = true
	r.wanted = append(r.wanted, wantedRows{key, image, image.CodeSize()})
	r.added.Broadcast()
}

// wait returns when all queued images are loaded.
func (r *rowLoader) wait() {
	r.lock.Lock()
	defer r.lock.Unlock()
	for len(r.wanted) > 0 {
		r.added.Wait()
	}
}

// run loads the smallest image first. Of many new images, as when a script starts, most
// are small and would have ended before a large one is loaded.
func (r *rowLoader) run() {
	defer r.loaded.Done()
	r.lock.Lock()
	defer r.lock.Unlock()
	for {
		for len(r.wanted) == 0 && !r.closed {
			r.added.Wait()
		}
		if r.closed {
			return
		}
		next := slices.MinFunc(r.wanted, func(a, b wantedRows) int { return cmp.Compare(a.size, b.size) })
		r.lock.Unlock()
		r.read(next)
		r.lock.Lock()
		r.wanted = slices.DeleteFunc(r.wanted, func(w wantedRows) bool { return w.key == next.key })
		r.added.Broadcast()
	}
}

// read loads an image if there is space for all its rows. Otherwise its places are taught
// one by one.
func (r *rowLoader) read(w wantedRows) {
	ranges, ok := w.image.Ranges(1<<bpf.RowBits - r.used)
	if !ok || len(ranges) == 0 || r.write(ranges) != nil {
		return
	}
	span := bpf.HooksRowSpan{First: uint32(r.used), Count: uint32(len(ranges))}
	if r.images.Put(w.key, span) == nil { // fails when the map is full
		r.used += len(ranges)
	}
}

// write appends rows. It maps the kernel's memory only while it writes.
func (r *rowLoader) write(ranges []unwind.RuleRange) error {
	const size = int(unsafe.Sizeof(bpf.HooksRow{}))
	start, end := r.used*size, (r.used+len(ranges))*size
	first := start &^ (os.Getpagesize() - 1)
	mem, err := unix.Mmap(r.rows.FD(), int64(first), end-first, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	rows := unsafe.Slice((*bpf.HooksRow)(unsafe.Pointer(&mem[start-first])), len(ranges))
	for i, g := range ranges {
		rows[i] = bpf.HooksRow{Offset: g.Offset, Body: uint64(encodeRule(g.Rule))}
	}
	return unix.Munmap(mem)
}

func (r *rowLoader) close() {
	r.lock.Lock()
	r.closed = true
	r.added.Broadcast()
	r.lock.Unlock()
	r.loaded.Wait()
}
