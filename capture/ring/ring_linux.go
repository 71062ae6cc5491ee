package ring

import (
	"sync/atomic"

	"trapline/bpf"
)

// A ring has one producer, the program that holds a slot of a CPU, and one consumer, the
// [Reader].
type ring struct {
	cpu    int
	head   *bpf.HooksRing // shared with the programs
	blocks []byte         // shared with the programs
	limit  uint64         // Produced when the round began
}

func (r *ring) size() uint64 { return uint64(len(r.blocks)/blockStride) * bpf.BlockSize }

func (r *ring) consumed() uint64 { return atomic.LoadUint64(&r.head.Consumed) }

// take copies whole events before the limit, at most len(buf) bytes, and frees their
// space.
func (r *ring) take(buf []byte) (n int) {
	at := r.consumed()
	for at < r.limit {
		block := r.blocks[int(at/bpf.BlockSize&uint64(r.head.BlockMask))*blockStride:][:blockStride]
		start := int(at % bpf.BlockSize)
		end := start
		for end < bpf.BlockSize && at < r.limit {
			size := eventSize(block[end:])
			if size == 0 || at+uint64(size) > r.limit {
				// Not an event. The account counts the difference as unreadable.
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
