package predicate

import (
	"encoding/binary"

	"github.com/cilium/ebpf/asm"

	"trapline/internal/glob"
)

// Verdicts of enum verdict in bpf/filter.h.
const (
	hitUnwanted = iota
	hitWanted
	hitUnreadable
)

// A compiled is a predicate as BPF instructions.
type compiled struct {
	// instructions take a pointer to a struct subject in R1 and return a verdict in R0.
	instructions asm.Instructions
	globs        []*glob.Automaton // the tables in globMap, in order
}

// globMap is the map that the instructions use for the tables of patterns. Its only value
// contains all of them.
const globMap = "predicate_globs"

// globSize is the size of a pattern's table in bytes: glob.Automaton.Steps.
const globSize = 256 * 16

// table returns the value of globMap.
func (c *compiled) table() []byte {
	b := make([]byte, 0, len(c.globs)*globSize)
	for _, g := range c.globs {
		for _, s := range g.Steps {
			b = binary.LittleEndian.AppendUint64(b, s.Advance)
			b = binary.LittleEndian.AppendUint64(b, s.Stay)
		}
	}
	return b
}
