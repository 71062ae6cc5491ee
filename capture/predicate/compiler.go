package predicate

import (
	"github.com/cilium/ebpf/asm"

	"trapline/capture/layout"
	"trapline/internal/glob"
)

// Registers of a compiled predicate. Each operation may use R0 to R5 and returns its
// result in R0.
const (
	regResult  = asm.R0
	regOther   = asm.R1
	regSpare   = asm.R9
	regSubject = asm.R6
)

// regTemps hold left operands while right ones are evaluated. stackTemps more are on the
// stack.
var regTemps = []asm.Register{asm.R7, asm.R8}

const stackTemps = 16

// A compiler compiles one filter.
type compiler struct {
	assembler
	filter *layout.Filter
	globs  []*glob.Automaton
	temps  int   // temporaries in use
	unread label // where to jump if a value is unreadable
	err    error
}
