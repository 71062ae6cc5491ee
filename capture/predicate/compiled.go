package predicate

import (
	"encoding/binary"

	"github.com/cilium/ebpf/asm"

	"trapline/internal/glob"
)

// Verdicts: enum verdict of bpf/filter.h.
const (
	hitUnwanted = iota
	hitWanted
	hitUnreadable
)

// A compiled is a predicate in the instructions of BPF.
type compiled struct {
	// instructions take the address of a struct subject in R1 and return a verdict
	// in R0.
	instructions asm.Instructions
	globs        []*glob.Automaton // what they know as globMap, one after another
}

// globMap is the map that instructions refer to for the tables of patterns: one
// value with all of them.
const globMap = "predicate_globs"

// globSize is the size in bytes of a glob's table: glob.Automaton.Steps.
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
