package program

import (
	"fmt"

	"golang.org/x/arch/x86/x86asm"

	"trapline/internal/symbol"
	"trapline/internal/x86"
)

// maxPrologue is the maximum size in bytes of a stack check.
const maxPrologue = 64

// StackCheck returns the size in bytes of the stack check at the start of a Go function.
// When the stack must grow, the function starts again afterwards, so a probe at its first
// instruction would see the call twice. After the check nothing has changed: arguments
// are in their registers and the stack pointer is the same.
//
// For the check, see stacksplit in src/cmd/internal/obj/x86/obj6.go. It compares the
// stack pointer with the guard and jumps. For large frames it first subtracts the frame
// size from the stack pointer, with a jump if that wraps.
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
				return 0, nil // other code: the function has no check
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

// guards reports whether an instruction compares with the stack guard in the runtime.g
// that R14 points to.
func guards(inst x86.Inst) bool {
	m, ok := inst.Args[1].(x86asm.Mem)
	return ok && m.Base == x86asm.R14
}
