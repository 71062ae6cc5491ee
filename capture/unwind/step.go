package unwind

// An unwinder is the state of unwinding one stack.
type unwinder struct {
	regs   Registers
	memory pieces
	find   Finder
	frames []Frame
}

// byRow steps to the caller by a row of call frame information. bias is the load address
// minus the linked address of the image.
func (u *unwinder) byRow(r *row, bias uint64) Cut {
	env := concrete{regs: &u.regs, memory: u.memory, bias: bias}
	var cfa uint64
	if r.cfa.expression != nil {
		t, ok := evaluate(r.cfa.expression, &env)
		if !ok {
			return env.cut()
		}
		cfa = t.n
	} else {
		base, ok := u.regs.get(uint64(r.cfa.reg))
		if !ok {
			return CutNoRule
		}
		cfa = base + uint64(r.cfa.offset)
	}
	next := Registers{}
	for n := range r.regs {
		env.unreadable = false
		if v, ok := r.regs[n].value(n, cfa, r.signal, &env); ok {
			next.set(n, v)
		} else if n == RegIP {
			return env.cut()
		}
	}
	// Stacks grow down, so a caller's frame is above. Only an innermost frame may be empty,
	// with its return address in a register. The frame after a signal handler may be on
	// another stack, and Go switches stacks itself.
	sp, known := next.get(RegSP)
	old, _ := u.regs.get(RegSP)
	if !known || !r.signal && !r.switches && (sp < old || sp == old && len(u.frames) > 0) {
		return CutNoRule
	}
	u.regs = next
	return CutNone
}

// value computes the caller's value of register n.
func (r *registerRule) value(n int, cfa uint64, signal bool, env *concrete) (uint64, bool) {
	number := term{n: cfa}
	switch r.kind {
	case ruleUnspecified:
		if n == RegSP {
			return cfa, true
		}
		if !signal && calleeSaved>>n&1 == 0 {
			return 0, false
		}
		return env.regs.get(uint64(n))
	case ruleSame:
		return env.regs.get(uint64(n))
	case ruleRegister:
		return env.regs.get(uint64(r.reg))
	case ruleValOffset:
		return cfa + uint64(r.offset), true
	case ruleOffset:
		number.n += uint64(r.offset)
	case ruleExpression, ruleValExpression:
		var ok bool
		if number, ok = evaluate(r.expression, env, number); !ok || r.kind == ruleValExpression {
			return number.n, ok
		}
	default:
		return 0, false
	}
	t, ok := env.load(number, 8)
	return t.n, ok
}

// signalFrame steps to the frame that a signal interrupted. The stack pointer is where the
// handler's return left it: after pretcode in the kernel's struct rt_sigframe
// (arch/x86/include/asm/sigframe.h), at its struct ucontext.
func (u *unwinder) signalFrame() Cut {
	sp, ok := u.regs.get(RegSP)
	if !ok {
		return CutNoRule
	}
	next := Registers{}
	for i, n := range sigcontext {
		v, ok := u.memory.load(sp+ucontextRegisters+8*uint64(i), 8)
		if !ok {
			return CutUnreadable
		}
		next.set(int(n), v)
	}
	u.regs = next
	return CutNone
}

// ucontextRegisters is the offset of uc_mcontext in struct ucontext
// (include/uapi/asm-generic/ucontext.h): after uc_flags, uc_link and uc_stack.
const ucontextRegisters = 40

// sigcontext is the order of registers, by DWARF numbers, at the start of struct
// sigcontext (arch/x86/include/uapi/asm/sigcontext.h).
var sigcontext = [registers]uint8{8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, RegSP, RegIP}

// goAsmcgocall steps from the system stack to the goroutine's (runtime/asm_amd64.s). The
// goroutine's stack pointer was saved as a distance from the upper end of its stack, which
// is the second word of runtime.g. asmcgocall saved its frame pointer there, as all
// functions with frames do.
func (u *unwinder) goAsmcgocall(offset int64) Cut {
	sp, ok := u.regs.get(RegSP)
	if !ok {
		return CutNoRule
	}
	sp += uint64(offset)
	depth, ok1 := u.memory.load(sp, 8)
	g, ok2 := u.memory.load(sp+8, 8)
	high, ok3 := u.memory.load(g+8, 8)
	fp, ok4 := u.memory.load(high-depth, 8)
	ret, ok5 := u.memory.load(high-depth+8, 8)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return CutUnreadable
	}
	next := Registers{}
	next.set(RegFP, fp)
	next.set(RegSP, high-depth+16)
	next.set(RegIP, ret)
	u.regs = next
	return CutNone
}

// concrete is the environment of expressions while unwinding a stack.
type concrete struct {
	regs       *Registers
	memory     pieces
	bias       uint64
	unreadable bool // an expression needed memory that was not copied
}

func (c *concrete) register(n uint64) (term, bool) {
	v, ok := c.regs.get(n)
	return term{n: v}, ok
}

func (c *concrete) load(address term, size uint64) (term, bool) {
	v, ok := c.memory.load(address.n, size)
	if !ok {
		c.unreadable = true
	}
	return term{n: v}, ok
}

func (c *concrete) address(linked uint64) term { return term{n: linked + c.bias} }

// cut returns the reason why a value is unavailable.
func (c *concrete) cut() Cut {
	if c.unreadable {
		return CutUnreadable
	}
	return CutNoRule
}
