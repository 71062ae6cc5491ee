package program

import (
	"debug/elf"
	"fmt"

	"golang.org/x/arch/x86/x86asm"

	"trapline/internal/symbol"
	"trapline/internal/x86"
)

// Returns returns the places where a Go function returns: its RET instructions and its
// tail jumps to other functions. A return probe of the kernel would replace the return
// address on the stack, which the Go runtime reads and moves.
func (f *File) Returns(fn *symbol.Function) ([]Return, error) {
	if f.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("returns of Go functions are known for x86-64 only, not for %s", f.Machine)
	}
	if fn.Size == 0 || fn.Size > maxFunction {
		return nil, fmt.Errorf("%s has no known size, so its returns cannot be found", fn.Name)
	}
	code, err := f.code64(fn, fn.Size)
	if err != nil {
		return nil, err
	}
	returns, err := findReturns(code)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", fn.Name, err)
	}
	return returns, nil
}

// A Return is an instruction that leaves a function.
type Return struct {
	Offset uint64 // bytes from the function
	Jump   bool   // a tail jump, before the results are known
}

// findReturns returns the instructions that leave a function; none if it never returns.
// Jumps through registers are taken to stay in the function: Go's compiler uses them for
// switches.
func findReturns(code []byte) ([]Return, error) {
	var returns []Return
	for at := 0; at < len(code); {
		inst, err := x86.Decode(code[at:])
		if err != nil {
			return nil, fmt.Errorf("the instruction at +0x%x cannot be decoded, so returns cannot be found", at)
		}
		next := at + inst.Len
		target, direct := inst.Args[0].(x86asm.Rel)
		to := int64(next) + int64(target)
		switch leaves := direct && (to < 0 || to >= int64(len(code))); {
		case inst.Op == x86asm.RET || inst.Op == x86asm.LRET || inst.Op == x86asm.JMP && leaves:
			returns = append(returns, Return{uint64(at), inst.Op == x86asm.JMP})
		case leaves && inst.Op != x86asm.CALL && inst.Op != x86asm.XBEGIN:
			return nil, fmt.Errorf("the conditional jump at +0x%x may leave the function, and a probe cannot tell whether it does", at)
		}
		at = next
	}
	return returns, nil
}
