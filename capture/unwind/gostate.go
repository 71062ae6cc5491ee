package unwind

import "golang.org/x/arch/x86/x86asm"

// A goState describes the stack and the frame pointer before an instruction.
type goState struct {
	reached bool
	onStack bool  // the stack pointer is on the stack that the function was entered on
	depth   int64 // of the stack pointer below the CFA, if onStack
	fp      goFP
	saved   int64 // distance below the CFA of the caller's saved frame pointer; 0 means not saved
	// parked is 1 plus the offset from the stack pointer, on the system stack, of the
	// depth of the goroutine's stack. The goroutine is in the next word. 0 means neither
	// is there.
	parked int64
}

// frameFP is the distance below the CFA at which Go functions save the frame pointer.
const frameFP = 16

// A goFP says what the frame pointer holds.
type goFP uint8

const (
	fpCaller goFP = iota // the caller's
	fpFrame              // the address of the saved one, CFA-16
	fpLost               // something else
)

// merge returns the state that holds on both paths to an instruction. It never adds
// knowledge, so follow ends.
func (s goState) merge(o goState) goState {
	if !s.reached {
		return o
	}
	if !o.onStack || o.depth != s.depth {
		s.onStack, s.depth = false, 0
	}
	if o.fp != s.fp {
		s.fp = fpLost
	}
	if o.saved != s.saved {
		s.saved = 0
	}
	if o.parked != s.parked {
		s.parked = 0
	}
	return s
}

// isSlot reports whether an operand is the slot of the saved frame pointer, addressed by
// the stack pointer.
func (s goState) isSlot(a x86asm.Arg) bool {
	m, ok := a.(x86asm.Mem)
	return ok && m.Base == x86asm.RSP && m.Index == 0 && m.Segment == 0 && s.onStack && s.depth-m.Disp == frameFP
}

// pop returns the state after a pop, into the frame pointer if fp is set.
func (s goState) pop(fp bool) goState {
	if !fp {
		s.depth -= 8
		return s.move(-8)
	}
	// The epilogue restores the frame pointer on the function's own stack.
	if s.saved != 0 && (s.onStack && s.depth == s.saved || !s.onStack && s.fp == fpFrame) {
		return goState{reached: true, onStack: true, depth: s.saved - 8}
	}
	s.fp, s.depth = fpLost, s.depth-8
	return s.move(-8)
}

// move accounts for the stack pointer moving down by n bytes.
func (s goState) move(n int64) goState {
	if !s.onStack {
		s.depth = 0
	} else if s.depth < s.saved {
		s.saved = 0
	}
	if s.parked != 0 {
		if s.parked += n; s.parked <= 0 {
			s.parked = 0
		}
	}
	return s
}
