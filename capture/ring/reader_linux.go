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

// A Reader drains all rings in rounds. It copies the events, so a slow disk or
// symbolization fills memory up to a bound before hits are lost.
type Reader struct {
	layout        Layout
	rings         []*ring
	heads, blocks []byte // values of the maps
	buf           []byte // holds one chunk
	out           chan Chunk
	queued        atomic.Int64 // bytes delivered but not yet decoded
	hurry         atomic.Bool  // the next pause is short
	stop          chan struct{}
}

const (
	chunkSize = 256 << 10
	// maxQueued limits the bytes that wait to be decoded. maxChunks is never reached
	// before it.
	maxQueued = 24 << 20
	maxChunks = 1 << 16
	// BPF programs never wake the reader because a wake-up costs more than a hit. The
	// reader polls so often that the fastest ring is a quarter full when its turn comes.
	longestPause, shortestPause = 2 * time.Millisecond, time.Millisecond
)

// NewReader returns a reader of rings with this layout.
func NewReader(l Layout) *Reader {
	return &Reader{layout: l, buf: make([]byte, chunkSize), out: make(chan Chunk, maxChunks), stop: make(chan struct{})}
}

// Open maps the rings and tells the programs their layout.
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

// layOut writes the position of each ring into its head.
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

// Chunks returns the channel of chunks. It is closed after [Reader.Stop] when the rings
// are empty.
func (rs *Reader) Chunks() <-chan Chunk { return rs.out }

// Hurry makes the next round begin soon.
func (rs *Reader) Hurry() { rs.hurry.Store(true) }

// Stop makes Drain return when the rings are empty. The programs must have stopped
// writing.
func (rs *Reader) Stop() { close(rs.stop) }

// Close unmaps the rings. Drain must not be running.
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

// Drain sends the contents of the rings to [Reader.Chunks] until Stop is called and the
// rings are empty.
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

// round delivers the current contents of the rings and returns the fill of the fullest
// ring, 0 to 1.
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
				time.Sleep(shortestPause) // meanwhile the rings fill
			}
			n := r.take(rs.buf)
			rs.queued.Add(int64(n))
			rs.out <- Chunk{CPU: r.cpu, Data: bytes.Clone(rs.buf[:n])}
		}
	}
	rs.out <- Chunk{}
	return fill
}

// Done reports that a chunk of size bytes has been decoded.
func (rs *Reader) Done(size int) { rs.queued.Add(-int64(size)) }
