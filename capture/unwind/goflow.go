package unwind

import (
	"slices"
	"sort"

	"golang.org/x/arch/x86/x86asm"

	"trapline/internal/gotable"
	"trapline/internal/x86"
)

// A goFlow describes the stack at each instruction of a function whose stack pointer no
// table describes. Such functions switch stacks (systemstack, mcall, cgocallback,
// morestack), call C code (asmcgocall, nanotime1 for the vdso, sigfwd), or are C code that
// Go's linker included without its unwind tables (packages net and os/user). A goFlow
// follows the control flow, so it does not depend on versions and offsets of the runtime.
type goFlow struct {
	table  *gotable.Table
	f      gotable.Function
	code   []x86.Inst
	at     []uint64 // addresses of code, then the end
	states []goState
	asmcgocall,
	leaves bool // no caller means the outermost frame
}

// decode splits the code into instructions. It returns false if one cannot be decoded.
func (w *goFlow) decode(code []byte) bool {
	pc := w.f.Entry
	for len(code) > 0 {
		inst, err := x86.Decode(code)
		if err != nil {
			return false
		}
		w.code, w.at = append(w.code, inst), append(w.at, pc)
		code, pc = code[inst.Len:], pc+uint64(inst.Len)
	}
	w.at = append(w.at, pc)
	return true
}

// row returns the row at an address.
func (w *goFlow) row(vaddr uint64) row {
	i := sort.Search(len(w.code), func(i int) bool { return w.at[i] > vaddr }) - 1
	if len(w.states) == 0 || i < 0 || !w.states[i].reached {
		return row{}
	}
	s := &w.states[i]
	switch {
	case s.onStack:
		r := goRow(RegSP, s.depth)
		if s.saved != 0 {
			r.regs[RegFP] = registerRule{kind: ruleOffset, offset: -s.saved}
		} else if s.fp != fpCaller {
			r.regs[RegFP].kind = ruleUndefined
		}
		return r
	case s.parked != 0:
		return row{kind: RuleGoAsmcgocall, cfa: cfaRule{offset: s.parked - 1}}
	case s.fp == fpFrame && s.saved == frameFP:
		r := goRow(RegFP, 16)
		r.regs[RegFP] = registerRule{kind: ruleOffset, offset: -16}
		r.switches = true
		return r
	case w.leaves:
		return row{kind: RuleEnd}
	}
	return row{}
}

// goRow returns the row of a Go frame. Go code preserves only the stack pointer and the
// frame pointer.
func goRow(reg uint8, offset int64) row {
	r := row{kind: RuleStep, cfa: cfaRule{reg: reg, offset: offset}}
	r.regs[RegIP] = registerRule{kind: ruleOffset, offset: -8}
	for n := range r.regs {
		if calleeSaved>>n&1 != 0 && n != RegFP {
			r.regs[n].kind = ruleUndefined
		}
	}
	return r
}

// follow computes the states, starting at the function's entry.
func (w *goFlow) follow() {
	if len(w.code) == 0 {
		return
	}
	w.states = make([]goState, len(w.code))
	w.states[0] = goState{reached: true, onStack: true, depth: 8}
	for work := []int{0}; len(work) > 0; {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		after := w.after(i)
		for _, next := range w.successors(i) {
			if merged := w.states[next].merge(after); merged != w.states[next] {
				w.states[next] = merged
				work = append(work, next)
			}
		}
	}
}

// successors returns the instructions that may follow.
func (w *goFlow) successors(i int) []int {
	var next []int
	inst := &w.code[i]
	jumps := false
	switch inst.Op {
	case x86asm.RET, x86asm.UD2, x86asm.INT, x86asm.HLT:
		return nil
	case x86asm.JMP:
		jumps = true
	case x86asm.CALL:
		if w.neverReturns(i) {
			return nil
		}
	default:
		_, jumps = inst.Args[0].(x86asm.Rel)
	}
	if inst.Op != x86asm.JMP && i+1 < len(w.code) {
		next = append(next, i+1)
	}
	if rel, ok := inst.Args[0].(x86asm.Rel); ok && jumps {
		target := w.at[i+1] + uint64(int64(rel))
		if at, ok := slices.BinarySearch(w.at[:len(w.code)], target); ok {
			next = append(next, at)
		}
	}
	return next
}

// neverReturns reports whether an instruction calls a function that does not return.
// Unrelated code follows it: at another stack depth by Go's table, or, in C, after
// padding before a jump target.
func (w *goFlow) neverReturns(i int) bool {
	if w.f.StackOff == 0 {
		return i+1 < len(w.code) && w.code[i+1].Op == x86asm.NOP
	}
	here, _ := w.table.Value(w.f.StackOff, w.f.Entry, w.at[i])
	after, _ := w.table.Value(w.f.StackOff, w.f.Entry, w.at[i+1])
	return after != here
}

// after returns the state after an instruction.
func (w *goFlow) after(i int) goState {
	s, inst := w.states[i], &w.code[i]
	to, from := inst.Args[0], inst.Args[1]
	switch inst.Op {
	case x86asm.PUSH, x86asm.PUSHF, x86asm.PUSHFQ:
		s.depth += 8
		if to == x86asm.RBP && s.onStack && s.saved == 0 && s.fp == fpCaller {
			s.saved = s.depth
		}
		return s.move(8)
	case x86asm.POP, x86asm.POPF, x86asm.POPFQ:
		return s.pop(to == x86asm.RBP)
	case x86asm.LEAVE:
		if s.fp == fpFrame && s.saved == frameFP {
			return goState{reached: true, onStack: true, depth: 8}
		}
		return goState{reached: true, fp: fpLost}
	case x86asm.ADD, x86asm.SUB:
		if n, ok := from.(x86asm.Imm); ok && to == x86asm.RSP {
			if inst.Op == x86asm.ADD {
				n = -n
			}
			s.depth += int64(n)
			return s.move(int64(n))
		}
	case x86asm.LEA:
		m, _ := from.(x86asm.Mem)
		if to == x86asm.RSP && m.Base == x86asm.RSP && m.Index == 0 {
			s.depth -= m.Disp
			return s.move(-m.Disp)
		}
		if to == x86asm.RBP && s.isSlot(from) && s.saved == frameFP {
			s.fp = fpFrame
			return s
		}
	case x86asm.MOV:
		if next, ok := w.moved(i); ok {
			return next
		}
	case x86asm.CMP, x86asm.TEST, x86asm.CALL, x86asm.JMP, x86asm.NOP:
		return s
	}
	return w.written(i)
}

// moved returns the state after a MOV that saves or restores the frame pointer or parks
// the goroutine's stack. ok is false for any other MOV.
func (w *goFlow) moved(i int) (s goState, ok bool) {
	s = w.states[i]
	to, from := w.code[i].Args[0], w.code[i].Args[1]
	switch {
	case to == x86asm.RBP && from == x86asm.RSP && s.onStack && s.depth == frameFP && s.saved == frameFP:
		s.fp = fpFrame
	case to == x86asm.RBP && s.isSlot(from) && s.saved == frameFP:
		s.fp = fpCaller
	case s.isSlot(to):
		s.saved = 0
		if from == x86asm.RBP && s.fp == fpCaller {
			s.saved = frameFP
		}
	case w.parks(i) && !s.onStack:
		s.parked = to.(x86asm.Mem).Disp + 1
	default:
		return s, false
	}
	return s, true
}

// written returns the state after an instruction that may write the stack pointer or the
// frame pointer.
func (w *goFlow) written(i int) goState {
	s, inst := w.states[i], &w.code[i]
	if inst.Op == 0 {
		if inst.Named&(1<<x86.RBP) != 0 {
			s.fp = fpLost
		}
		return s
	}
	written := inst.Args[:1]
	if inst.Op == x86asm.XCHG || inst.Op == x86asm.XADD || inst.Op == x86asm.MULX {
		written = inst.Args[:2]
	}
	for _, arg := range written {
		switch arg {
		case x86asm.RSP, x86asm.ESP:
			s.onStack, s.depth, s.parked = false, 0, 0
			if depth, ok := w.returns(i + 1); ok {
				s.onStack, s.depth = true, depth
			}
		case x86asm.RBP, x86asm.EBP, x86asm.BP, x86asm.BPB:
			s.fp = fpLost
		}
	}
	return s
}

// parks reports whether an instruction of asmcgocall saves the depth of the goroutine's
// stack: the difference of two registers, computed by the instruction before.
func (w *goFlow) parks(i int) bool {
	if !w.asmcgocall || i == 0 {
		return false
	}
	difference := &w.code[i-1]
	m, ok := w.code[i].Args[0].(x86asm.Mem)
	minuend, ok1 := difference.Args[0].(x86asm.Reg)
	_, ok2 := difference.Args[1].(x86asm.Reg)
	return ok && ok1 && ok2 && difference.Op == x86asm.SUB && m.Base == x86asm.RSP && m.Index == 0 &&
		w.code[i].Args[1] == minuend
}

// returns reports whether the function only returns from an instruction on. It is then
// on its own stack, with the depth that the table has.
func (w *goFlow) returns(i int) (depth int64, ok bool) {
	for j := i; j < len(w.code); j++ {
		inst := &w.code[j]
		switch inst.Op {
		case x86asm.RET:
			now, ok := w.table.Value(w.f.StackOff, w.f.Entry, w.at[i])
			return int64(now) + 8, ok
		case x86asm.CALL, x86asm.JMP, x86asm.SYSCALL:
			return 0, false
		case x86asm.ADD, x86asm.POP, x86asm.POPF, x86asm.POPFQ:
		default:
			if inst.Args[0] == x86asm.RSP {
				return 0, false
			}
		}
	}
	return 0, false
}
