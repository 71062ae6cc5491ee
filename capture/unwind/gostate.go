package unwind

import "golang.org/x/arch/x86/x86asm"

// A goState is what holds before an instruction.
type goState struct {
	reached bool
	onStack bool  // the stack pointer is the one that the function was entered with, less what it took
	depth   int64 // of the stack pointer below the CFA, if onStack
	fp      goFP
	saved   int64 // how far below the CFA the caller's frame pointer was saved, 0: it was not
	// parked: on the system stack, 1 plus the offset from the stack pointer of how deep
	// the goroutine's stack was; the goroutine is in the next word. 0: they are not there.
	parked int64
}

// frameFP is how far below the CFA functions of Go save frame pointers.
const frameFP = 16

// A goFP says what the frame pointer is.
type goFP uint8

const (
	fpCaller goFP = iota // the caller's
	fpFrame              // the address where the caller's was saved, CFA-16
	fpLost               // something else
)

// merge returns what holds whichever way an instruction was reached. It only ever
// knows less, so that following ends.
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

// isSlot reports whether an operand is where frame pointers are saved, seen from the
// stack pointer.
func (s goState) isSlot(a x86asm.Arg) bool {
	m, ok := a.(x86asm.Mem)
	return ok && m.Base == x86asm.RSP && m.Index == 0 && m.Segment == 0 && s.onStack && s.depth-m.Disp == frameFP
}

// pop returns what holds after a word was taken off the stack, into the frame pointer or
// elsewhere.
func (s goState) pop(fp bool) goState {
	if !fp {
		s.depth -= 8
		return s.move(-8)
	}
	// At the end of the function at the latest, it is on its stack again.
	if s.saved != 0 && (s.onStack && s.depth == s.saved || !s.onStack && s.fp == fpFrame) {
		return goState{reached: true, onStack: true, depth: s.saved - 8}
	}
	s.fp, s.depth = fpLost, s.depth-8
	return s.move(-8)
}

// move takes note that the stack pointer has moved down by n bytes.
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
