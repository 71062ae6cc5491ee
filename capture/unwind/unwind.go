package unwind

// Unwind unwinds a copied stack and returns at most limit frames, innermost first. It uses
// all registers and all of call frame information, and reads only the copy. The program
// counter and the stack pointer must be known.
//
// In a frame without unwind information, Unwind uses FramePointerRule if the result can be
// a frame, and marks the frame as guessed. A return address of 0 ends the stack, as does a
// frame pointer of 0 in a frame without unwind information.
func Unwind(regs *Registers, memory []Memory, find Finder, limit int) ([]Frame, Cut) {
	u := unwinder{regs: *regs, memory: memory, find: find}
	cut := u.run(limit)
	return u.frames, cut
}

func (u *unwinder) run(limit int) Cut {
	called := false // the program counter is a return address
	for {
		pc, ok := u.regs.get(RegIP)
		if !ok {
			return CutNoRule
		}
		if called && pc == 0 {
			return CutNone
		}
		if len(u.frames) >= limit {
			return CutDepth
		}
		frame := Frame{Address: pc, Return: called}
		back := uint64(0) // from the address to the executing instruction
		if called {
			back = 1
		}
		frame.Image, frame.Offset, ok = u.find.Find(pc - back)
		if !ok && called {
			return CutNoRule // not a return address: the last step was wrong
		}
		var cut Cut
		var more bool
		if ok {
			called, cut, more = u.step(&frame)
			frame.Offset += back
		} else {
			cut = CutNoRule
		}
		u.frames = append(u.frames, frame)
		if !more {
			return cut
		}
	}
}

// step steps to the caller of a frame, given the offset of its executing instruction. It
// reports whether the caller's program counter is a return address and whether there is a
// caller.
func (u *unwinder) step(frame *Frame) (called bool, cut Cut, more bool) {
	var r row
	var vaddr uint64
	var ok bool
	if frame.Image != nil {
		if vaddr, ok = frame.Image.address(frame.Offset); ok {
			r, ok = frame.Image.row(vaddr)
		}
	}
	if !ok {
		cut, more = u.guess(frame)
		return true, cut, more
	}
	frame.Rule = r.rule(vaddr)
	switch frame.Rule.Kind {
	case RuleEnd:
		return false, CutNone, false
	case RuleSignal:
		cut := u.signalFrame()
		return false, cut, cut == CutNone
	case RuleGoAsmcgocall:
		cut := u.goAsmcgocall(r.cfa.offset)
		return true, cut, cut == CutNone
	case RuleStep, RuleExact, RuleLinkRegister:
		bias := frame.Address - vaddr
		if frame.Return {
			bias--
		}
		cut := u.byRow(&r, bias)
		return !r.signal, cut, cut == CutNone
	}
	return false, CutNoRule, false
}

// guess steps by FramePointerRule if the result is plausible: the frame pointer is in the
// copied stack, above the stack pointer, aligned as the ABI requires, and leads to a return
// address.
func (u *unwinder) guess(frame *Frame) (Cut, bool) {
	fp, ok := u.regs.get(RegFP)
	sp, _ := u.regs.get(RegSP)
	if !ok {
		return CutNoRule, false
	}
	if fp == 0 {
		frame.Rule, frame.Guessed = FramePointerRule, true
		return CutNone, false
	}
	if fp < sp || fp%8 != 0 {
		return CutNoRule, false
	}
	saved, ok1 := u.memory.load(fp, 8)
	ret, ok2 := u.memory.load(fp+8, 8)
	if !ok1 || !ok2 {
		return CutUnreadable, false
	}
	if _, _, code := u.find.Find(ret - 1); !code {
		return CutNoRule, false
	}
	frame.Rule, frame.Guessed = FramePointerRule, true
	next := Registers{}
	next.set(RegFP, saved)
	next.set(RegSP, fp+16)
	next.set(RegIP, ret)
	u.regs = next
	return CutNone, true
}
