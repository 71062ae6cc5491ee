package ring

import (
	"bytes"
	"errors"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"trapline/bpf"
)

// A Reader drains all rings in rounds. The copies decouple the rings from what
// happens to the hits: a slow disk or a segment that is being symbolized fills
// memory, up to a bound, before hits are lost.
type Reader struct {
	layout        Layout
	rings         []*ring
	heads, blocks []byte // the maps
	buf           []byte // for one chunk
	out           chan Chunk
	queued        atomic.Int64 // bytes handed out that nobody has taken yet
	hurry         atomic.Bool  // until it is seen once: what comes next is wanted soon
	stop          chan struct{}
}

const (
	chunkSize = 256 << 10
	// maxQueued bounds what waits to be decoded, in bytes; maxChunks is never reached before.
	maxQueued = 24 << 20
	maxChunks = 1 << 16
	// Programs wake nobody, since a wake-up costs more than a hit. The rings are
	// looked at so often that the fastest is a quarter full when its turn comes.
	longestPause, shortestPause = 2 * time.Millisecond, time.Millisecond
)

// NewReader returns a reader of rings that are laid out so.
func NewReader(l Layout) *Reader {
	return &Reader{layout: l, buf: make([]byte, chunkSize), out: make(chan Chunk, maxChunks), stop: make(chan struct{})}
}

// Open maps the rings and tells the programs how they are laid out.
func (rs *Reader) Open(heads, blocks *ebpf.Map) (err error) {
	l := &rs.layout
	if rs.heads, err = MapValues(heads, int(l.Rings())*int(unsafe.Sizeof(bpf.HooksRing{}))); err != nil {
		return err
	}
	if rs.blocks, err = MapValues(blocks, int(l.Blocks())*blockStride); err != nil {
		return err
	}
	rs.layOut()
	return nil
}

// layOut enters in the heads where the blocks of each ring lie.
func (rs *Reader) layOut() {
	l := &rs.layout
	entries := unsafe.Slice((*bpf.HooksRing)(unsafe.Pointer(&rs.heads[0])), l.Rings())
	first := uint32(0)
	for i := range entries {
		n := l.blocks[i%bpf.Slots]
		if n == 0 {
			continue
		}
		head := &entries[i]
		head.FirstBlock, head.BlockMask = first, n-1
		head.Full = uint64(n)*bpf.BlockSize - ringReserve
		rs.rings = append(rs.rings, &ring{cpu: i / bpf.Slots, head: head,
			blocks: rs.blocks[int(first)*blockStride:][:int(n)*blockStride]})
		first += n
	}
}

// Chunks are what was in the rings. They end after Stop.
func (rs *Reader) Chunks() <-chan Chunk { return rs.out }

// Hurry has the next round begin soon.
func (rs *Reader) Hurry() { rs.hurry.Store(true) }

// Stop ends Drain when the rings are empty. Nothing must be written to them any more.
func (rs *Reader) Stop() { close(rs.stop) }

// Close unmaps the rings. It may be called at any time when Drain does not run.
func (rs *Reader) Close() error {
	var errs []error
	for _, b := range [][]byte{rs.heads, rs.blocks} {
		if b != nil {
			errs = append(errs, unix.Munmap(b))
		}
	}
	rs.heads, rs.blocks = nil, nil
	return errors.Join(errs...)
}

// Drain runs until stop is closed and the rings are empty; then it closes out.
func (rs *Reader) Drain() {
	defer close(rs.out)
	last := time.Now()
	for {
		stopping := false
		select {
		case <-rs.stop:
			stopping = true
		default:
		}
		now := time.Now()
		fill := rs.round()
		if stopping && fill == 0 {
			return
		}
		pause := longestPause
		if fill > 0 {
			pause = min(max(time.Duration(float64(now.Sub(last))/(4*fill)), shortestPause), longestPause)
		}
		if rs.hurry.Swap(false) {
			pause = shortestPause
		}
		last = now
		if stopping {
			continue
		}
		select {
		case <-rs.stop:
		case <-time.After(pause):
		}
	}
}

// round hands out what is in the rings now and returns how full the fullest was, 0 to 1.
func (rs *Reader) round() (fill float64) {
	for _, r := range rs.rings {
		r.limit = atomic.LoadUint64(&r.head.Produced)
		fill = max(fill, float64(r.limit-r.consumed())/float64(r.size()))
	}
	if fill == 0 {
		return 0
	}
	for _, r := range rs.rings {
		for r.consumed() < r.limit {
			for rs.queued.Load() > maxQueued {
				time.Sleep(shortestPause) // the rings have room of their own
			}
			n := r.take(rs.buf)
			rs.queued.Add(int64(n))
			rs.out <- Chunk{CPU: r.cpu, Data: bytes.Clone(rs.buf[:n])}
		}
	}
	rs.out <- Chunk{}
	return fill
}

// Done takes a chunk of size bytes off what waits.
func (rs *Reader) Done(size int) { rs.queued.Add(-int64(size)) }
