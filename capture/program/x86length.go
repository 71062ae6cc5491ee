package program

// Opcode maps of the x86 instruction set: Intel SDM volume 2, 2.1.2 and 2.3.6.
const (
	map0F   = 1
	map0F38 = 2
	map0F3A = 3
)

// vectorLength returns the length of an x86-64 instruction of the kinds that x86asm
// does not know or takes for others: those with VEX and EVEX prefixes and all of the
// maps 0F 38 and 0F 3A. None of them jumps. It returns 0 for others.
func vectorLength(code []byte) int {
	at := 0
	byteAt := func(i int) byte {
		if i < len(code) {
			return code[i]
		}
		return 0
	}
	for isPrefix(byteAt(at)) {
		at++
	}
	opcodes := 0
	switch b := byteAt(at); {
	case b == 0xc5: // VEX, two bytes
		opcodes, at = map0F, at+2
	case b == 0xc4: // VEX, three bytes
		opcodes, at = int(byteAt(at+1)&0x1f), at+3
	case b == 0x62: // EVEX
		opcodes, at = int(byteAt(at+1)&0x07), at+4
	default:
		if b&0xf0 == 0x40 { // REX
			at++
		}
		if byteAt(at) != 0x0f {
			return 0
		}
		switch byteAt(at + 1) {
		case 0x38:
			opcodes, at = map0F38, at+2
		case 0x3a:
			opcodes, at = map0F3A, at+2
		case 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f: // hints and no-operations, ENDBR64 among them
			opcodes, at = map0F, at+1
		default:
			return 0
		}
	}
	if opcodes < map0F || opcodes == 4 || opcodes > 6 {
		return 0
	}
	opcode := byteAt(at)
	at++
	if opcodes != map0F || opcode != 0x77 { // VZEROUPPER has no operands
		at += operandLength(byteAt(at), byteAt(at+1))
	}
	if opcodes == map0F3A || opcodes == map0F && hasImmediate(opcode) {
		at++
	}
	if at > len(code) {
		return 0
	}
	return at
}

// isPrefix reports whether a byte is a legacy prefix: operand or address size, segment, repeat.
func isPrefix(b byte) bool {
	switch b {
	case 0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65:
		return true
	}
	return false
}

// hasImmediate reports whether an instruction of the map 0F has a byte behind its
// operands: shuffles, shifts, comparisons, insertion and extraction.
func hasImmediate(opcode byte) bool {
	return opcode >= 0x70 && opcode <= 0x73 || opcode == 0xc2 || opcode >= 0xc4 && opcode <= 0xc6
}

// operandLength returns the size of ModRM, SIB and displacement.
func operandLength(modrm, sib byte) int {
	n := 1
	mode, rm := modrm>>6, modrm&7
	if mode == 3 {
		return n
	}
	base := rm
	if rm == 4 {
		n++
		base = sib & 7
	}
	switch {
	case mode == 1:
		n++
	case mode == 2 || mode == 0 && base == 5: // of 32 bits; rm 5 without SIB is relative to RIP
		n += 4
	}
	return n
}
