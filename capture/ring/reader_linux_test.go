package ring

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"

	"trapline/bpf"
)

// inMemory returns a reader of rings in ordinary memory.
func inMemory(l Layout) *Reader {
	rs := NewReader(l)
	rs.heads = make([]byte, int(l.Rings())*int(unsafe.Sizeof(bpf.HooksRing{})))
	rs.blocks = make([]byte, int(l.Blocks())*blockStride)
	rs.layOut()
	return rs
}

// tryWrite writes an event as reserve() and publish() in bpf/ring.h do. It returns false
// if the ring is full.
func (r *ring) tryWrite(event []byte) bool {
	at := atomic.LoadUint64(&r.head.Produced)
	if at-r.consumed() > r.head.Full {
		return false
	}
	block := r.blocks[int(at/bpf.BlockSize&uint64(r.head.BlockMask))*blockStride:][:blockStride]
	copy(block[at%bpf.BlockSize:], event)
	atomic.StoreUint64(&r.head.Produced, at+uint64(len(event)))
	return true
}

// numbered returns a hit with a number and a record of random length.
func numbered(r *rand.Rand, n uint64) []byte {
	size := r.IntN(3000)
	b := make([]byte, (bpf.HitSize+size+7)&^7)
	b[0] = bpf.EventHit
	binary.LittleEndian.PutUint16(b[2:], uint16(size))
	binary.LittleEndian.PutUint64(b[8:], n)
	return b
}

// Events written while the rings are drained arrive once, in order and whole. Each ring
// wraps around several times.
func TestDrain(t *testing.T) {
	const cpus, events = 2, 3000
	rs := inMemory(NewLayout(cpus, 1, false))
	go rs.Drain()
	for i, one := range rs.rings {
		go func() {
			random := rand.New(rand.NewPCG(uint64(i), 3))
			for n := uint64(0); n < events; {
				if event := numbered(random, n<<8|uint64(i)); one.tryWrite(event) {
					n++
				} else {
					runtime.Gosched()
				}
			}
		}()
	}
	next := make(map[uint64]uint64) // by ring
	seen, rounds := 0, 0
	for c := range rs.Chunks() {
		rs.Done(len(c.Data))
		if c.Data == nil {
			rounds++
		}
		for {
			b, ok := c.Next()
			if !ok {
				break
			}
			var h Hit
			if err := DecodeHit(b, &h); err != nil {
				t.Fatal(err)
			}
			from, n := h.Time&0xff, h.Time>>8
			if n != next[from] || rs.rings[from].cpu != c.CPU {
				t.Fatalf("ring %d of CPU %d: event %d in a chunk of CPU %d, want event %d", from, rs.rings[from].cpu, n, c.CPU, next[from])
			}
			next[from]++
			if seen++; seen == events*len(rs.rings) {
				rs.Stop()
			}
		}
	}
	if seen != events*len(rs.rings) || rounds < 2 {
		t.Errorf("%d events in %d rounds", seen, rounds)
	}
	if wrapped := rs.rings[0].consumed() / rs.rings[0].size(); wrapped < 2 {
		t.Errorf("the ring wrapped %d times only", wrapped)
	}
}

// A round delivers everything that was in any ring when it began.
func TestRound(t *testing.T) {
	rs := inMemory(NewLayout(3, 1, true))
	random := rand.New(rand.NewPCG(1, 4))
	for i, one := range rs.rings {
		for n := range 10 * i {
			if !one.tryWrite(numbered(random, uint64(n))) {
				t.Fatal("the ring is full")
			}
		}
	}
	if fill := rs.round(); fill <= 0 || fill > 1 {
		t.Errorf("filled to %v", fill)
	}
	counts := make([]int, len(rs.rings))
	for {
		c := <-rs.Chunks()
		if c.Data == nil {
			break
		}
		for _, ok := c.Next(); ok; _, ok = c.Next() {
			counts[c.CPU]++
		}
	}
	if got := fmt.Sprint(counts); got != "[0 10 20]" {
		t.Errorf("events by CPU %s", got)
	}
	if fill := rs.round(); fill != 0 {
		t.Errorf("empty rings are filled to %v", fill)
	}
}

// Invalid data ends a chunk and is returned as one event.
func TestChunkOfGarbage(t *testing.T) {
	whole := numbered(rand.New(rand.NewPCG(2, 5)), 7)
	garbage := []byte("\xffnothing that a program writes")
	c := Chunk{Data: append(bytes.Clone(whole), garbage...)}
	first, _ := c.Next()
	second, ok := c.Next()
	if !bytes.Equal(first, whole) || !ok || !bytes.Equal(second, garbage) {
		t.Errorf("%d bytes, then %q", len(first), second)
	}
	if _, ok := c.Next(); ok {
		t.Error("there is more")
	}
}

// Every CPU gets a ring of the requested size and, unless exclusive, smaller ones for
// nested programs.
func TestLayout(t *testing.T) {
	for _, c := range []struct {
		size      int
		exclusive bool
		blocks    [bpf.Slots]uint32
	}{
		{1, true, [bpf.Slots]uint32{leastBlocks}},
		{8 << 20, true, [bpf.Slots]uint32{128}},
		{8<<20 + 1, true, [bpf.Slots]uint32{256}},
		{8 << 20, false, [bpf.Slots]uint32{128, 16, 16, 16}},
		{1, false, [bpf.Slots]uint32{leastBlocks, leastBlocks, leastBlocks, leastBlocks}},
	} {
		l := NewLayout(2, c.size, c.exclusive)
		total := uint32(0)
		for _, n := range c.blocks {
			total += 2 * n
		}
		if l.blocks != c.blocks || l.Blocks() != total || l.Rings() != 2*bpf.Slots {
			t.Errorf("%d bytes, exclusive %t: %v", c.size, c.exclusive, l.blocks)
		}
	}
}
