package ring

import (
	"math/bits"

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

// A Layout says how many rings there are and how large they are; bpf/ring.h
// has what lies where.
type Layout struct {
	cpus   int
	blocks [bpf.Slots]uint32 // of each CPU's rings, by slot: powers of two, or 0
}

// NewLayout gives each CPU a ring that holds size bytes at least and, unless no
// two programs run at once on a CPU, smaller ones for programs that run inside others.
func NewLayout(cpus, size int, exclusive bool) Layout {
	l := Layout{cpus: cpus}
	blocks := max(uint32(1)<<bits.Len(uint(max(size-1, 0)/bpf.BlockSize)), leastBlocks)
	l.blocks[0] = blocks
	if !exclusive {
		for slot := 1; slot < bpf.Slots; slot++ {
			l.blocks[slot] = max(blocks/8, leastBlocks)
		}
	}
	return l
}

func (l *Layout) Rings() uint32 { return uint32(l.cpus * bpf.Slots) }

func (l *Layout) Blocks() uint32 {
	n := uint32(0)
	for _, b := range l.blocks {
		n += b
	}
	return n * uint32(l.cpus)
}
