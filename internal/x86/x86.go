// Package x86 decodes x86-64 instructions. It is golang.org/x/arch/x86/x86asm with
// lengths that are right: that package (v0.32) takes VZEROUPPER for longer than it is,
// takes the prefix of an instruction that it does not know for a whole instruction, and
// knows neither ENDBR64 nor FMA4, XOP, ADX and some others at all.
package x86

import "golang.org/x/arch/x86/x86asm"

// RBP is the number by which instructions encode the frame pointer.
const RBP = 5

// An Inst is a decoded instruction.
//
// Op is 0 for an instruction that x86asm does not know. Such an instruction transfers
// no control, and has no operands in Args.
type Inst struct {
	x86asm.Inst
	// Named holds, if Op is 0, the general registers that the instruction may name as
	// operands, as bits. It writes no others, but for RAX, RCX and RDX.
	Named uint16
}

// Decode decodes the instruction at the start of code.
func Decode(code []byte) (Inst, error) {
	var l layout
	if err := l.read(code); err != nil {
		return Inst{}, err
	}
	inst, err := x86asm.Decode(code[:l.at], 64)
	switch {
	case err == nil && inst.Op != 0 && inst.Len == l.at:
		return Inst{Inst: inst}, nil
	case l.opcodes == map0F && l.opcode >= 0x18 && l.opcode <= 0x1f:
		return Inst{Inst: x86asm.Inst{Op: x86asm.NOP, Len: l.at}}, nil // hints, ENDBR64 among them
	case err == nil && inst.Op != 0 && inst.Args[0] == nil: // VZEROUPPER, VZEROALL
		inst.Len = l.at
		return Inst{Inst: inst}, nil
	case l.transfers():
		return Inst{}, ErrInvalid
	}
	return Inst{x86asm.Inst{Len: l.at}, l.named()}, nil
}

// Len returns the length in bytes of the instruction at the start of code.
func Len(code []byte) (int, error) {
	var l layout
	if err := l.read(code); err != nil {
		return 0, err
	}
	return l.at, nil
}
