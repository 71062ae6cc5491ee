package format

import (
	"fmt"

	"trapline/format/internal/block"
)

// entryCost is the memory that an entry of each dictionary takes, in bytes. Frames of a
// stack, calls of a symbol, fields of a shape and the bytes of a string come on top.
var entryCost = map[block.Kind]int{
	block.Strings: 16, block.Images: 40, block.Frames: 16, block.Stacks: 32, block.Tasks: 12,
	block.Shapes: 24, block.Probes: 32, block.Symbols: 64,
}

const (
	costFrame = 4
	costCall  = 24
	costField = 16
)

// A budget is the memory that the dictionaries of a segment take, in bytes.
type budget int

// charge accounts for memory before it is allocated. If there is not enough left, it
// returns an error and charges nothing.
func (b *budget) charge(n int) error {
	if n > MaxDictionaries-int(*b) {
		return fmt.Errorf("the segment's dictionaries need more than %d MiB", MaxDictionaries>>20)
	}
	*b += budget(n)
	return nil
}
