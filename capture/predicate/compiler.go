package predicate

import (
	"github.com/cilium/ebpf/asm"

	"trapline/capture/layout"
	"trapline/internal/glob"
)

// Registers of a compiled predicate. R0 to R5 are free for each operation, R0 with
// its result.
const (
	regResult  = asm.R0
	regOther   = asm.R1
	regSpare   = asm.R9
	regSubject = asm.R6
)

// regTemps hold left sides while right sides are evaluated; stackTemps more do so on the stack.
var regTemps = []asm.Register{asm.R7, asm.R8}

const stackTemps = 16

// A compiler compiles one filter.
type compiler struct {
	assembler
	filter *layout.Filter
	globs  []*glob.Automaton
	temps  int   // in use
	unread label // where to go when a value could not be read
	err    error
}
