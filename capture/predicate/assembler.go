package predicate

import (
	"fmt"

	"github.com/cilium/ebpf/asm"
)

// An assembler collects instructions and resolves jumps between them.
type assembler struct {
	out    asm.Instructions
	jumps  map[int]label // by index in out
	labels []int         // index in out by label
}

// A label is the target of a jump.
type label int

func (a *assembler) newLabel() label {
	a.labels = append(a.labels, -1)
	return label(len(a.labels) - 1)
}

func (a *assembler) place(l label) { a.labels[l] = len(a.out) }

func (a *assembler) emit(instructions ...asm.Instruction) { a.out = append(a.out, instructions...) }

func (a *assembler) jumpTo(l label, instruction asm.Instruction) {
	if a.jumps == nil {
		a.jumps = make(map[int]label)
	}
	a.jumps[len(a.out)] = l
	a.emit(instruction)
}

func (a *assembler) jump(l label) { a.jumpTo(l, asm.Ja.Label("")) }

func (a *assembler) jumpImm(op asm.JumpOp, r asm.Register, value int32, l label) {
	a.jumpTo(l, op.Imm(r, value, ""))
}

func (a *assembler) jumpReg(op asm.JumpOp, dst, src asm.Register, l label) {
	a.jumpTo(l, op.Reg(dst, src, ""))
}

// link removes unreachable instructions, which the kernel rejects, and names the targets
// of jumps.
func (a *assembler) link() asm.Instructions {
	reached := make([]bool, len(a.out))
	for next := []int{0}; len(next) > 0; {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		if reached[at] {
			continue
		}
		reached[at] = true
		code := a.out[at].OpCode.JumpOp()
		if l, jumps := a.jumps[at]; jumps {
			next = append(next, a.labels[l])
		}
		if code != asm.Ja && code != asm.Exit {
			next = append(next, at+1)
		}
	}
	for at, l := range a.jumps {
		if to := a.labels[l]; reached[at] {
			name := fmt.Sprintf("predicate_%d", to)
			a.out[to] = a.out[to].WithSymbol(name)
			a.out[at] = a.out[at].WithReference(name)
		}
	}
	linked := make(asm.Instructions, 0, len(a.out))
	for at, ins := range a.out {
		if reached[at] {
			linked = append(linked, ins)
		}
	}
	return linked
}
