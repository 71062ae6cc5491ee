package unwind

// A walk is the state of unwinding one stack.
type walk struct {
	regs   Registers
	memory pieces
	find   Finder
	frames []Frame
}

// Unwind unwinds a copied stack and returns at most limit frames, innermost first. It uses
// all registers and all of call frame information, and reads only the copy. The program
// counter and the stack pointer must be known.
//
// In a frame without unwind information, Unwind uses FramePointerRule if the result can be
// a frame, and marks the frame as guessed. A return address of 0 ends the stack, as does a
// frame pointer of 0 in a frame without unwind information.
func Unwind(regs *Registers, memory []Memory, find Finder, limit int) ([]Frame, Cut) {
	w := walk{regs: *regs, memory: memory, find: find}
	cut := w.run(limit)
	return w.frames, cut
}

func (w *walk) run(limit int) Cut {
	called := false // the program counter is a return address
	for {
		pc, ok := w.regs.get(RegIP)
		if !ok {
			return CutNoRule
		}
		if called && pc == 0 {
			return CutNone
		}
		if len(w.frames) >= limit {
			return CutDepth
		}
		frame := Frame{Address: pc, Return: called}
		back := uint64(0) // from the address to the executing instruction
		if called {
			back = 1
		}
		frame.Image, frame.Offset, ok = w.find.Find(pc - back)
		if !ok && called {
			return CutNoRule // not a return address: the last step was wrong
		}
		var cut Cut
		var more bool
		if ok {
			called, cut, more = w.step(&frame)
			frame.Offset += back
		} else {
			cut = CutNoRule
		}
		w.frames = append(w.frames, frame)
		if !more {
			return cut
		}
	}
}

// step steps to the caller of a frame, given the offset of its executing instruction. It
// reports whether the caller's program counter is a return address and whether there is a
// caller.
func (w *walk) step(frame *Frame) (called bool, cut Cut, more bool) {
	var r row
	var vaddr uint64
	var ok bool
	if frame.Image != nil {
		if vaddr, ok = frame.Image.address(frame.Offset); ok {
			r, ok = frame.Image.row(vaddr)
		}
	}
	if !ok {
		cut, more = w.guess(frame)
		return true, cut, more
	}
	frame.Rule = r.rule(vaddr)
	switch frame.Rule.Kind {
	case RuleEnd:
		return false, CutNone, false
	case RuleSignal:
		cut := w.signalFrame()
		return false, cut, cut == CutNone
	case RuleGoAsmcgocall:
		cut := w.goAsmcgocall(r.cfa.offset)
		return true, cut, cut == CutNone
	case RuleStep, RuleExact, RuleLinkRegister:
		bias := frame.Address - vaddr
		if frame.Return {
			bias--
		}
		cut := w.byRow(&r, bias)
		return !r.signal, cut, cut == CutNone
	}
	return false, CutNoRule, false
}

// guess steps by FramePointerRule if the result is plausible: the frame pointer is in the
// copied stack, above the stack pointer, aligned as the ABI requires, and leads to a return
// address.
func (w *walk) guess(frame *Frame) (Cut, bool) {
	fp, ok := w.regs.get(RegFP)
	sp, _ := w.regs.get(RegSP)
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
	saved, ok1 := w.memory.load(fp, 8)
	ret, ok2 := w.memory.load(fp+8, 8)
	if !ok1 || !ok2 {
		return CutUnreadable, false
	}
	if _, _, code := w.find.Find(ret - 1); !code {
		return CutNoRule, false
	}
	frame.Rule, frame.Guessed = FramePointerRule, true
	next := Registers{}
	next.set(RegFP, saved)
	next.set(RegSP, fp+16)
	next.set(RegIP, ret)
	w.regs = next
	return CutNone, true
}

func (r *Registers) get(n uint64) (uint64, bool) {
	if n >= registers || r.Known>>n&1 == 0 {
		return 0, false
	}
	return r.Value[n], true
}

func (r *Registers) set(n int, v uint64) {
	r.Value[n] = v
	r.Known |= 1 << n
}

// pieces are the copied parts of a stack.
type pieces []Memory

// load reads a number of 1, 2, 4 or 8 bytes. It returns false if one piece does not hold all of it.
func (p pieces) load(address, size uint64) (uint64, bool) {
	for i := range p {
		m := &p[i]
		if at, n := address-m.Base, uint64(len(m.Bytes)); at <= n && size <= n-at {
			return littleEndian(m.Bytes[at : at+size])
		}
	}
	return 0, false
}
