package ring

import (
	"math/bits"

	"trapline/bpf"
)

const (
	// ringReserve is the space that one hit may need, with two new stacks and a raw
	// stack.
	ringReserve = 4*bpf.LongestEvent + bpf.RawLongest + bpf.RawPieces*bpf.MemorySize
	// leastBlocks is the size of the smallest ring. It holds several such hits.
	leastBlocks = 4
	// blockStride is the distance between blocks in bytes.
	blockStride = bpf.BlockSize + bpf.LongestEvent
)

// A Layout is the number of rings and their sizes. bpf/ring.h describes the memory.
type Layout struct {
	cpus   int
	blocks [bpf.Slots]uint32 // size of each CPU's rings by slot: a power of two, or 0
}

// NewLayout returns a layout with a ring of at least size bytes for each CPU. Unless
// exclusive, each CPU also gets smaller rings for programs that interrupt other programs.
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
