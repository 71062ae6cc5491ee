package capture

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

// rings drains all rings in rounds. The copies decouple the rings from what
// happens to the hits: a slow disk or a segment that is being symbolized fills
// memory, up to a bound, before hits are lost.
type rings struct {
	rings         []*ring
	heads, blocks []byte // the maps
	buf           []byte // for one chunk
	out           chan chunk
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

func newRings(l ringLayout, heads, blocks *ebpf.Map) (*rings, error) {
	rs := &rings{buf: make([]byte, chunkSize), out: make(chan chunk, maxChunks), stop: make(chan struct{})}
	var err error
	if rs.heads, err = mapValues(heads, int(l.rings())*int(unsafe.Sizeof(bpf.HooksRing{}))); err != nil {
		return nil, err
	}
	if rs.blocks, err = mapValues(blocks, int(l.totalBlocks())*blockStride); err != nil {
		rs.close()
		return nil, err
	}
	entries := unsafe.Slice((*bpf.HooksRing)(unsafe.Pointer(&rs.heads[0])), l.rings())
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
	return rs, nil
}

func (rs *rings) close() error {
	var errs []error
	for _, b := range [][]byte{rs.heads, rs.blocks} {
		if b != nil {
			errs = append(errs, unix.Munmap(b))
		}
	}
	return errors.Join(errs...)
}

// drain runs until stop is closed and the rings are empty; then it closes out.
func (rs *rings) drain() {
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
func (rs *rings) round() (fill float64) {
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
			rs.out <- chunk{cpu: r.cpu, data: bytes.Clone(rs.buf[:n])}
		}
	}
	rs.out <- chunk{}
	return fill
}

// done takes a chunk of size bytes off what waits.
func (rs *rings) done(size int) { rs.queued.Add(-int64(size)) }
