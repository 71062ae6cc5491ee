package unwind_test

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/arch/x86/x86asm"
	"golang.org/x/sys/unix"
)

const breakpoint = 0xcc // int3

// breakpoints writes breakpoints and returns a function that removes them.
func (p *tracee) breakpoints(t *testing.T, addresses []uint64) (remove func()) {
	t.Helper()
	saved := make([]byte, len(addresses))
	for i, address := range addresses {
		_, err := p.mem.ReadAt(saved[i:i+1], int64(address))
		if err == nil {
			_, err = p.mem.WriteAt([]byte{breakpoint}, int64(address))
		}
		if err != nil {
			t.Fatalf("a breakpoint at %s: %v", p.describe([]uint64{address}), err)
		}
	}
	return func() {
		for i, address := range slices.Backward(addresses) {
			if _, err := p.mem.WriteAt(saved[i:i+1], int64(address)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// runTo continues the first thread with a signal, or 0, until it reaches one of the
// addresses. It returns 0, or the signal that stopped the thread before that.
func (p *tracee) runTo(t *testing.T, signal unix.Signal, addresses ...uint64) unix.Signal {
	t.Helper()
	remove := p.breakpoints(t, addresses)
	if err := unix.PtraceCont(p.pid, int(signal)); err != nil {
		t.Fatal(err)
	}
	signal = p.wait(t)
	remove()
	if signal != 0 {
		return signal
	}
	p.stoppedAtBreakpoint(t, addresses)
	return 0
}

// stoppedAtBreakpoint sets the program counter back to the breakpoint that was executed.
func (p *tracee) stoppedAtBreakpoint(t *testing.T, addresses []uint64) {
	t.Helper()
	p.regs.Rip--
	if !slices.Contains(addresses, p.regs.Rip) {
		t.Fatalf("a trap at %s, not at %s", p.describe([]uint64{p.regs.Rip}), p.describe(addresses))
	}
	if err := unix.PtraceSetRegs(p.pid, &p.regs); err != nil {
		t.Fatal(err)
	}
}

// errUnknownInstruction means that the successors of an instruction are unknown.
var errUnknownInstruction = errors.New("unknown instruction")

// step executes one instruction. It returns 0, or the signal that prevented that.
func (p *tracee) step(t *testing.T) (unix.Signal, error) {
	t.Helper()
	inst, ok := p.instruction(p.regs.Rip)
	if !ok {
		return 0, errUnknownInstruction
	}
	next, err := p.successors(inst)
	if err != nil {
		return 0, err
	}
	return p.runTo(t, 0, next...), nil
}

// successors returns the addresses that may follow the instruction at the program counter.
func (p *tracee) successors(inst x86asm.Inst) ([]uint64, error) {
	next := p.regs.Rip + uint64(inst.Len)
	switch inst.Op {
	case x86asm.RET:
		return []uint64{p.word(p.regs.Rsp)}, nil
	case x86asm.SYSCALL:
		if p.regs.Rax == unix.SYS_RT_SIGRETURN {
			return []uint64{p.word(p.regs.Rsp + ucontextRIP)}, nil
		}
	case x86asm.JMP, x86asm.CALL:
		target, err := p.operand(inst.Args[0], next)
		return []uint64{target}, err
	}
	if offset, ok := inst.Args[0].(x86asm.Rel); ok { // a conditional jump
		return []uint64{next, next + uint64(int64(offset))}, nil
	}
	return []uint64{next}, nil
}

// ucontextRIP is the offset of the program counter in struct ucontext:
// arch/x86/include/uapi/asm/sigcontext.h.
const ucontextRIP = 168

// operand returns the target of a jump or call. next is the address after it.
func (p *tracee) operand(arg x86asm.Arg, next uint64) (uint64, error) {
	switch a := arg.(type) {
	case x86asm.Rel:
		return next + uint64(int64(a)), nil
	case x86asm.Reg:
		return p.register(a)
	case x86asm.Mem:
		if a.Segment != 0 {
			return 0, errUnknownInstruction
		}
		address := uint64(a.Disp)
		if a.Base == x86asm.RIP {
			address += next
		} else if a.Base != 0 {
			base, err := p.register(a.Base)
			if err != nil {
				return 0, err
			}
			address += base
		}
		if a.Index != 0 {
			index, err := p.register(a.Index)
			if err != nil {
				return 0, err
			}
			address += index * uint64(a.Scale)
		}
		return p.word(address), nil
	}
	return 0, errUnknownInstruction
}

func (p *tracee) register(r x86asm.Reg) (uint64, error) {
	g := &p.regs
	registers := [...]uint64{g.Rax, g.Rcx, g.Rdx, g.Rbx, g.Rsp, g.Rbp, g.Rsi, g.Rdi, g.R8, g.R9, g.R10, g.R11, g.R12, g.R13, g.R14, g.R15}
	if r < x86asm.RAX || r > x86asm.R15 {
		return 0, errUnknownInstruction
	}
	return registers[r-x86asm.RAX], nil
}

// deliver delivers a signal and runs to the first instruction of its handler.
func (p *tracee) deliver(t *testing.T, signal unix.Signal) {
	t.Helper()
	if next := p.runTo(t, signal, p.entry(t, "runtime.sigtramp"), p.entry(t, "runtime.cgoSigtramp")); next != 0 {
		t.Fatalf("signal %v before the handler of %v", next, signal)
	}
}
