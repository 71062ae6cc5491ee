package capture

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Flags in a record's length word, from include/uapi/linux/bpf.h
// (BPF_RINGBUF_BUSY_BIT, BPF_RINGBUF_DISCARD_BIT, BPF_RINGBUF_HDR_SZ).
const (
	ringBusy    = 1 << 31
	ringDiscard = 1 << 30
	ringHeader  = 8
)

// A ring is one CPU's BPF ring buffer, mapped. The layout is that of
// bpf_ringbuf_area_alloc in kernel/bpf/ringbuf.c: a page with the consumer's
// position, a page with the producer's, and the data mapped twice in a row so
// that no record wraps.
type ring struct {
	m        *ebpf.Map
	cpu      int
	size     uint64
	consumer []byte // one page, writable
	producer []byte // one page and the data twice, read-only
}

func newRing(cpu int, size int) (*ring, error) {
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: uint32(size)})
	if err != nil {
		return nil, fmt.Errorf("ring buffer of %d bytes for CPU %d: %w", size, cpu, err)
	}
	r := &ring{m: m, cpu: cpu, size: uint64(size)}
	page := os.Getpagesize()
	r.consumer, err = unix.Mmap(m.FD(), 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err == nil {
		r.producer, err = unix.Mmap(m.FD(), int64(page), page+2*size, unix.PROT_READ, unix.MAP_SHARED)
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("map the ring buffer of CPU %d: %w", cpu, err)
	}
	return r, nil
}

func (r *ring) close() error {
	var errs []error
	if r.producer != nil {
		errs = append(errs, unix.Munmap(r.producer))
	}
	if r.consumer != nil {
		errs = append(errs, unix.Munmap(r.consumer))
	}
	return errors.Join(append(errs, r.m.Close())...)
}

func (r *ring) positions() (consumer, producer uint64) {
	return atomic.LoadUint64((*uint64)(unsafe.Pointer(&r.consumer[0]))),
		atomic.LoadUint64((*uint64)(unsafe.Pointer(&r.producer[0])))
}

// A chunk is a run of whole ring buffer records of one CPU, headers included, copied out of
// the ring. A chunk with no data marks the end of a round: every record that was
// in any ring when the round began has been handed out.
type chunk struct {
	cpu  int
	data []byte
}

// next returns the chunk's first event and the rest. Discarded records are passed over.
func (c *chunk) next() (event []byte, ok bool) {
	for len(c.data) >= ringHeader {
		word := *(*uint32)(unsafe.Pointer(&c.data[0]))
		n := int(word &^ (ringBusy | ringDiscard))
		whole := ringHeader + (n+7)&^7
		if whole > len(c.data) {
			return nil, false
		}
		event = c.data[ringHeader : ringHeader+n]
		c.data = c.data[whole:]
		if word&ringDiscard == 0 {
			return event, true
		}
	}
	return nil, false
}

// take copies committed records up to the position limit, at most len(buf) bytes,
// and frees their room in the ring.
func (r *ring) take(buf []byte, limit uint64) (n int) {
	page := os.Getpagesize()
	start, _ := r.positions()
	at := start
	for at < limit {
		header := (*uint32)(unsafe.Pointer(&r.producer[page+int(at&(r.size-1))]))
		word := atomic.LoadUint32(header)
		if word&ringBusy != 0 {
			break
		}
		whole := uint64(ringHeader + (word&^ringDiscard+7)&^7)
		if at+whole-start > uint64(len(buf)) {
			break
		}
		at += whole
	}
	if at == start {
		return 0
	}
	from := page + int(start&(r.size-1))
	n = copy(buf, r.producer[from:from+int(at-start)])
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&r.consumer[0])), at)
	return n
}

// rings drains the ring buffers of all CPUs in rounds. The copies decouple the
// rings from what happens to the hits: a slow disk or a segment that is being
// symbolized fills memory, up to a bound, before hits are lost.
type rings struct {
	rings []*ring
	out   chan chunk
	free  chan []byte
	stop  chan struct{}
}

const (
	chunkSize = 256 << 10
	// chunkCount bounds what waits to be decoded: 64 MiB.
	chunkCount = 256
	pollEvery  = 20 * time.Millisecond
)

func newRings(cpus, size int) (*rings, error) {
	rs := &rings{out: make(chan chunk, chunkCount), free: make(chan []byte, chunkCount), stop: make(chan struct{})}
	for cpu := range cpus {
		r, err := newRing(cpu, size)
		if err != nil {
			rs.close()
			return nil, err
		}
		rs.rings = append(rs.rings, r)
	}
	return rs, nil
}

func (rs *rings) close() {
	for _, r := range rs.rings {
		r.close()
	}
}

// drain runs until stop is closed and the rings are empty; then it closes out.
func (rs *rings) drain() {
	defer close(rs.out)
	fds := make([]unix.PollFd, len(rs.rings))
	for i, r := range rs.rings {
		fds[i] = unix.PollFd{Fd: int32(r.m.FD()), Events: unix.POLLIN}
	}
	for {
		stopping := false
		select {
		case <-rs.stop:
			stopping = true
		default:
		}
		n := rs.round()
		if stopping && n == 0 {
			return
		}
		if n < chunkSize && !stopping {
			// Programs wake the reader only when a ring fills up: a wake-up a hit
			// would cost more than the hit.
			unix.Poll(fds, int(pollEvery/time.Millisecond))
		}
	}
}

// round hands out what is in the rings now and returns its size in bytes.
func (rs *rings) round() (total int) {
	limits := make([]uint64, len(rs.rings))
	for i, r := range rs.rings {
		_, limits[i] = r.positions()
	}
	for i, r := range rs.rings {
		for {
			buf := rs.buffer()
			n := r.take(buf, limits[i])
			if n == 0 {
				rs.recycle(buf)
				break
			}
			total += n
			rs.out <- chunk{cpu: r.cpu, data: buf[:n]}
		}
	}
	if total > 0 {
		rs.out <- chunk{}
	}
	return total
}

func (rs *rings) buffer() []byte {
	select {
	case b := <-rs.free:
		return b[:cap(b)]
	default:
		return make([]byte, chunkSize)
	}
}

func (rs *rings) recycle(b []byte) {
	select {
	case rs.free <- b[:cap(b)]:
	default:
	}
}

// ringSize is the size of each CPU's ring: the least power of two that holds
// want bytes and a page.
func ringSize(want int) int {
	want = max(want, os.Getpagesize())
	return 1 << bits.Len(uint(want-1))
}
