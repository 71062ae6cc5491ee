package x86

import "errors"

// MaxLen is the length of the longest instruction in bytes.
const MaxLen = 15

// What [Decode] and [Len] return for code that they cannot decode.
var (
	ErrTruncated = errors.New("the code ends in the middle of an instruction")
	ErrInvalid   = errors.New("the code is not an x86-64 instruction")
)

// Opcode maps: Intel SDM volume 2, 2.1.2, 2.3.6 and 2.7.1; AMD64 APM volume 3, 1.2.6.
const (
	mapOneByte = 0
	map0F      = 1
	map0F38    = 2
	map0F3A    = 3
	mapFP16a   = 5 // EVEX only
	mapFP16b   = 6 // EVEX only
	mapXOP8    = 8
	mapXOP9    = 9
	mapXOPA    = 10
)

// A layout is what tells the length of an instruction: prefixes, opcode and what
// follows it (Intel SDM volume 2, 2.1 and 2.2).
type layout struct {
	code    []byte
	at      int  // bytes read; the length in the end
	opcodes int  // the map
	opcode  byte // in that map
	modrm   byte // 0 if there is none

	vector    bool // a VEX, EVEX or XOP prefix
	operand16 bool // operand-size prefix
	address32 bool // address-size prefix
	repne     bool // prefix F2
	rex       byte // REX, or the bits of a vector prefix that mean the same; 0: none
	vvvv      byte // register of a vector prefix
}

// Bits of REX (Intel SDM volume 2, 2.2.1.2).
const (
	rexB = 1 << 0 // the register in ModRM.rm is one of the upper eight
	rexX = 1 << 1
	rexR = 1 << 2 // the one in ModRM.reg is
	rexW = 1 << 3 // operands of 64 bits
)

// read reads one instruction.
func (l *layout) read(code []byte) error {
	l.code = code[:min(len(code), MaxLen)]
	l.readPrefixes()
	l.readOpcode()
	kind := l.operands()
	l.readOperands(kind)
	switch {
	case l.at <= len(l.code) && kind != invalid:
		return nil
	case len(code) < MaxLen && l.at > len(l.code):
		return ErrTruncated
	}
	return ErrInvalid
}

// peek returns the next byte, 0 past the end.
func (l *layout) peek() byte {
	if l.at < len(l.code) {
		return l.code[l.at]
	}
	return 0
}

// next passes the byte that it returns.
func (l *layout) next() byte {
	b := l.peek()
	l.at++
	return b
}

// readPrefixes reads legacy prefixes and REX. A REX prefix before another prefix is ignored.
func (l *layout) readPrefixes() {
	for l.at < len(l.code) {
		switch b := l.peek(); b {
		case 0x66:
			l.operand16, l.rex = true, 0
		case 0x67:
			l.address32, l.rex = true, 0
		case 0xf2:
			l.repne, l.rex = true, 0
		case 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65:
			l.rex = 0
		default:
			if b&0xf0 != 0x40 {
				return
			}
			l.rex = b
		}
		l.next()
	}
}

// readOpcode reads the opcode with what selects its map.
func (l *layout) readOpcode() {
	l.opcode = l.next()
	switch l.opcode {
	case 0x0f:
		l.opcodes, l.opcode = map0F, l.next()
		switch l.opcode {
		case 0x38:
			l.opcodes, l.opcode = map0F38, l.next()
		case 0x3a:
			l.opcodes, l.opcode = map0F3A, l.next()
		}
	case 0xc5: // VEX, two bytes
		l.vector = true
		b := l.next()
		l.rex, l.vvvv = ^b>>5&rexR, ^b>>3&15
		l.opcodes, l.opcode = map0F, l.next()
	case 0xc4: // VEX, three bytes
		l.readVector(0x1f)
		l.opcode = l.next()
	case 0x62: // EVEX
		l.readVector(0x07)
		l.at += 1
		l.opcode = l.next()
	case 0x8f: // POP, or XOP: a map below 8 would be an operand of POP
		if l.peek()&0x1f >= mapXOP8 {
			l.readVector(0x1f)
			l.opcode = l.next()
		}
	}
}

// readVector reads the two bytes that follow the first of VEX with three bytes, EVEX and
// XOP. The map is in the lower bits of the first; the bits of registers are inverted.
func (l *layout) readVector(mapBits byte) {
	first, second := l.next(), l.next()
	l.vector = true
	l.opcodes = int(first & mapBits)
	l.rex = ^first>>5&(rexR|rexX|rexB) | second>>4&rexW
	l.vvvv = ^second >> 3 & 15
}

// operands returns what follows the opcode.
func (l *layout) operands() operands {
	switch l.opcodes {
	case mapOneByte:
		if !l.vector {
			return operands(oneByte[l.opcode])
		}
	case map0F:
		if !l.vector {
			return operands(twoByte[l.opcode])
		}
		return vectorOperands(l.opcode)
	case map0F38, mapXOP9:
		return modRM
	case map0F3A, mapXOP8:
		return modRMImm8
	case mapFP16a, mapFP16b:
		return modRM
	case mapXOPA:
		return modRMImm32
	}
	return invalid
}

// readOperands reads ModRM, SIB, displacement and immediate.
func (l *layout) readOperands(kind operands) {
	if kind.hasModRM() {
		l.modrm = l.next()
		if kind != registers {
			l.readMemory()
		}
	}
	switch kind {
	case imm8, modRMImm8:
		l.at += 1
	case imm16:
		l.at += 2
	case imm16Imm8:
		l.at += 3
	case immZ, modRMImmZ:
		l.at += l.immZ()
	case imm32, modRMImm32:
		l.at += 4
	case immV:
		if l.rex&rexW != 0 {
			l.at += 8
		} else {
			l.at += l.immZ()
		}
	case address:
		if l.address32 {
			l.at += 4
		} else {
			l.at += 8
		}
	case test8:
		if l.modrm>>3&7 < 2 { // TEST; the others of group 3 have no immediate
			l.at += 1
		}
	case testZ:
		if l.modrm>>3&7 < 2 {
			l.at += l.immZ()
		}
	case bitField:
		if l.operand16 || l.repne { // EXTRQ, INSERTQ; VMREAD otherwise
			l.at += 2
		}
	}
}

// immZ returns the size of an immediate as wide as the operand, but of 32 bits at most.
func (l *layout) immZ() int {
	if l.operand16 && l.rex&rexW == 0 {
		return 2
	}
	return 4
}

// readMemory reads the rest of what ModRM says: SIB and displacement.
func (l *layout) readMemory() {
	mode, base := l.modrm>>6, l.modrm&7
	if mode == 3 {
		return
	}
	if base == 4 {
		base = l.next() & 7 // SIB
	}
	switch {
	case mode == 1:
		l.at += 1
	case mode == 2 || base == 5: // without SIB relative to RIP
		l.at += 4
	}
}

// named returns the general registers that the operands may name, as bits. Fields of
// ModRM that mean something else only add to them.
func (l *layout) named() uint16 {
	reg, rm := l.modrm>>3&7|l.rex&rexR<<1, l.modrm&7|l.rex&rexB<<3
	named := uint16(1)<<reg | 1<<l.vvvv
	if l.modrm>>6 == 3 {
		named |= 1 << rm
	}
	return named
}

// transfers reports whether the instruction may continue elsewhere than behind itself.
func (l *layout) transfers() bool {
	if l.vector {
		return false
	}
	switch op := l.opcode; l.opcodes {
	case mapOneByte:
		switch {
		case op >= 0x70 && op <= 0x7f, op >= 0xe0 && op <= 0xe3, op >= 0xe8 && op <= 0xeb, // conditional jumps, LOOP, CALL, JMP
			op == 0xc2, op == 0xc3, op >= 0xca && op <= 0xcf, op == 0xf1, op == 0xf4: // RET, INT, IRET, HLT
			return true
		case op == 0xff:
			reg := l.modrm >> 3 & 7
			return reg >= 2 && reg <= 5
		case op == 0xc7:
			return l.modrm == 0xf8 // XBEGIN
		}
	case map0F:
		return op >= 0x80 && op <= 0x8f || op == 0x05 || op == 0x07 || op == 0x0b || op == 0x34 || op == 0x35 || op == 0xb9 || op == 0xff
	}
	return false
}
