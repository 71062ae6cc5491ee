package capture

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/unwind"
)

// ruleRows holds the rules of whole images, see bpf/rules.h. They are read in the
// background when an image is first seen: until then the programs ask.
type ruleRows struct {
	mem    []byte
	rows   []bpf.HooksRow
	images *ebpf.Map
	used   int // of rows; the loading goroutine's

	wanted chan wantedRows
	asked  map[uint64]bool // keys of images; the recorder's
	loaded sync.WaitGroup
	closed atomic.Bool
}

type wantedRows struct {
	key   uint64
	image *unwind.Image
}

// maxWanted bounds the images that wait to be read.
const maxWanted = 1 << 10

func newRuleRows(rows, images *ebpf.Map) (*ruleRows, error) {
	const n = 1 << bpf.RowBits
	mem, err := mapValues(rows, n*int(unsafe.Sizeof(bpf.HooksRow{})))
	if err != nil {
		return nil, err
	}
	r := &ruleRows{mem: mem, rows: unsafe.Slice((*bpf.HooksRow)(unsafe.Pointer(&mem[0])), n), images: images,
		wanted: make(chan wantedRows, maxWanted), asked: make(map[uint64]bool)}
	go r.run()
	return r, nil
}

// want has an image's rows read, once.
func (r *ruleRows) want(key uint64, image *unwind.Image) {
	if r.asked[key] || image == nil {
		return
	}
	r.loaded.Add(1)
	select {
	case r.wanted <- wantedRows{key, image}:
		r.asked[key] = true
	default:
		r.loaded.Done() // later
	}
}

// wait returns when all that was wanted so far is there.
func (r *ruleRows) wait() { r.loaded.Wait() }

func (r *ruleRows) run() {
	for w := range r.wanted {
		if !r.closed.Load() {
			r.read(w)
		}
		r.loaded.Done()
	}
}

// read writes an image's rows, if there is room for all of them; else its places
// keep being taught one by one.
func (r *ruleRows) read(w wantedRows) {
	ranges, ok := w.image.Ranges(len(r.rows) - r.used)
	if !ok || len(ranges) == 0 {
		return
	}
	for i, g := range ranges {
		r.rows[r.used+i] = bpf.HooksRow{Offset: g.Offset, Body: uint64(encodeRule(g.Rule))}
	}
	span := bpf.HooksRowSpan{First: uint32(r.used), Count: uint32(len(ranges))}
	if r.images.Put(w.key, span) == nil { // no more images fit in the map
		r.used += len(ranges)
	}
}

func (r *ruleRows) close() error {
	r.closed.Store(true)
	close(r.wanted)
	r.wait()
	return unix.Munmap(r.mem)
}
