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

// A rowLoader holds the rules of whole images, see bpf/rules.h. They are read in the
// background when an image is first seen: until then the programs ask.
type rowLoader struct {
	rows, images *ebpf.Map
	used         int // of rows; the loading goroutine's

	asked  map[uint64]bool // keys of images; the recorder's
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

// maxWanted bounds the images that wait to be read.
const maxWanted = 1 << 12

func newRowLoader() *rowLoader {
	r := &rowLoader{asked: make(map[uint64]bool)}
	r.added = sync.NewCond(&r.lock)
	return r
}

// start begins to load rows into the maps of the programs.
func (r *rowLoader) start(rows, images *ebpf.Map) {
	r.rows, r.images = rows, images
	r.loaded.Add(1)
	go r.run()
}

// want has an image's rows read, once.
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

// wait returns when all that was wanted so far is there.
func (r *rowLoader) wait() {
	r.lock.Lock()
	defer r.lock.Unlock()
	for len(r.wanted) > 0 {
		r.added.Wait()
	}
}

// run reads the smallest image first: of many new ones, as when a script begins, most
// are small, and would end before a large one has been read.
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

// read writes an image's rows, if there is room for all of them; else its places
// keep being taught one by one.
func (r *rowLoader) read(w wantedRows) {
	ranges, ok := w.image.Ranges(1<<bpf.RowBits - r.used)
	if !ok || len(ranges) == 0 || r.write(ranges) != nil {
		return
	}
	span := bpf.HooksRowSpan{First: uint32(r.used), Count: uint32(len(ranges))}
	if r.images.Put(w.key, span) == nil { // no more images fit in the map
		r.used += len(ranges)
	}
}

// Write writes rows behind those used. The map's memory is the kernel's: it is
// mapped only for as long as that takes.
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
