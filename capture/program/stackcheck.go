package program

import (
	"fmt"

	"golang.org/x/arch/x86/x86asm"

	"trapline/internal/symbol"
	"trapline/internal/x86"
)

// maxPrologue is how many bytes of a function hold the check of its stack.
const maxPrologue = 64

// StackCheck returns how many bytes a Go function's check of its stack takes. When
// the stack has to grow, the function is begun again afterwards, so that a probe at its
// first instruction would see the call twice. Behind the check nothing has changed:
// arguments are in their registers, and the stack pointer is as at the beginning.
//
// The check is, in src/cmd/internal/obj/x86/obj6.go (stacksplit): for small frames a
// comparison of the stack pointer with the guard and a jump; for larger ones, of the stack
// pointer less the frame's size, computed before, perhaps with a jump where that wraps.
func (f *File) StackCheck(fn *symbol.Function) (uint64, error) {
	code, err := f.code64(fn, min(fn.Size, maxPrologue))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", f.Path.Resolved, err)
	}
	compared := false
	for at := 0; at < len(code); {
		inst, err := x86.Decode(code[at:])
		if err != nil {
			return 0, nil
		}
		at += inst.Len
		switch inst.Op {
		case x86asm.LEA, x86asm.MOV, x86asm.SUB:
			if r, ok := inst.Args[0].(x86asm.Reg); !ok || r != x86asm.R12 && r != x86asm.R13 {
				return 0, nil // the function's own code: it has no check
			}
		case x86asm.CMP:
			compared = compared || guards(inst)
		case x86asm.JBE:
			if compared {
				return uint64(at), nil
			}
			return 0, nil
		case x86asm.JB:
		default:
			return 0, nil
		}
	}
	return 0, nil
}

// guards reports whether an instruction compares with the guard in the goroutine's
// runtime.g, to which R14 points.
func guards(inst x86.Inst) bool {
	m, ok := inst.Args[1].(x86asm.Mem)
	return ok && m.Base == x86asm.R14
}
