package capture

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"trapline/bpf"
)

const (
	// ringReserve is the room that a hit with two new stacks and a raw one may need.
	ringReserve = 4*bpf.LongestEvent + bpf.RawLongest + bpf.RawPieces*bpf.MemorySize
	// leastBlocks is the smallest ring that holds several such hits.
	leastBlocks = 4
	// blockStride is from one block to the next.
	blockStride = bpf.BlockSize + bpf.LongestEvent
)

// A ringLayout says how many rings there are and how large they are; bpf/ring.h
// has what lies where.
type ringLayout struct {
	cpus   int
	blocks [bpf.Slots]uint32 // of each CPU's rings, by slot: powers of two, or 0
}

// newRingLayout gives each CPU a ring that holds size bytes at least and, unless no
// two programs run at once on a CPU, smaller ones for programs that run inside others.
func newRingLayout(cpus, size int, exclusive bool) ringLayout {
	l := ringLayout{cpus: cpus}
	blocks := max(uint32(1)<<bits.Len(uint(max(size-1, 0)/bpf.BlockSize)), leastBlocks)
	l.blocks[0] = blocks
	if !exclusive {
		for slot := 1; slot < bpf.Slots; slot++ {
			l.blocks[slot] = max(blocks/8, leastBlocks)
		}
	}
	return l
}

func (l *ringLayout) rings() uint32 { return uint32(l.cpus * bpf.Slots) }

func (l *ringLayout) totalBlocks() uint32 {
	n := uint32(0)
	for _, b := range l.blocks {
		n += b
	}
	return n * uint32(l.cpus)
}

// A ring has one producer, the program that holds a slot of a CPU, and one consumer.
type ring struct {
	cpu    int
	head   *bpf.HooksRing // shared with the programs
	blocks []byte         // shared too
	limit  uint64         // position produced when the round began
}

func (r *ring) size() uint64 { return uint64(len(r.blocks)/blockStride) * bpf.BlockSize }

func (r *ring) consumed() uint64 { return atomic.LoadUint64(&r.head.Consumed) }

// take copies whole events before the limit, at most len(buf) bytes, and frees their room.
func (r *ring) take(buf []byte) (n int) {
	at := r.consumed()
	for at < r.limit {
		block := r.blocks[int(at/bpf.BlockSize&uint64(r.head.BlockMask))*blockStride:][:blockStride]
		start := int(at % bpf.BlockSize)
		end := start
		for end < bpf.BlockSize && at < r.limit {
			size := eventSize(block[end:])
			if size == 0 || at+uint64(size) > r.limit {
				// Nothing that a program writes; account finds the difference.
				at = r.limit
				break
			}
			if n+end-start+size > len(buf) {
				n += copy(buf[n:], block[start:end])
				atomic.StoreUint64(&r.head.Consumed, at)
				return n
			}
			end += size
			at += uint64(size)
		}
		n += copy(buf[n:], block[start:end])
	}
	atomic.StoreUint64(&r.head.Consumed, at)
	return n
}

// A chunk is a run of whole events of one CPU, copied out of a ring. A chunk
// with no data marks the end of a round: every event that was in any ring when
// the round began has been handed out.
type chunk struct {
	cpu  int
	data []byte
}

// next returns the chunk's first event and goes on to the next. What is no event
// hides all that is behind it and comes as one.
func (c *chunk) next() (event []byte, ok bool) {
	if len(c.data) == 0 {
		return nil, false
	}
	n := eventSize(c.data)
	if n == 0 || n > len(c.data) {
		n = len(c.data)
	}
	event, c.data = c.data[:n], c.data[n:]
	return event, true
}

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

// mapValues maps size bytes of an array map's values.
func mapValues(m *ebpf.Map, size int) ([]byte, error) {
	page := os.Getpagesize()
	b, err := unix.Mmap(m.FD(), 0, (size+page-1)/page*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes of the rings: %w", size, err)
	}
	return b, nil
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
