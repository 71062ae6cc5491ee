package x86

// operands is the kind of operands that follow an opcode.
type operands byte

const (
	none       operands = '.'
	modRM      operands = 'm' // ModRM, with SIB and displacement
	registers  operands = 'r' // ModRM that names registers only, whatever its mode
	imm8       operands = 'b'
	imm16      operands = 'w'
	immZ       operands = 'z' // 16 or 32 bits, by the operand size
	immV       operands = 'v' // 16, 32 or 64 bits
	imm32      operands = 'd' // distances of jumps: the operand size does not count (Intel's rule)
	imm16Imm8  operands = 'e'
	address    operands = 'a' // as wide as addresses
	modRMImm8  operands = 'B'
	modRMImmZ  operands = 'Z'
	modRMImm32 operands = 'D'
	test8      operands = 'f' // group 3: an immediate for TEST only
	testZ      operands = 'F'
	bitField   operands = 'q' // two bytes for EXTRQ and INSERTQ, none for VMREAD
	invalid    operands = 'x' // not in 64-bit mode, or a prefix
)

func (o operands) hasModRM() bool {
	switch o {
	case modRM, registers, modRMImm8, modRMImmZ, modRMImm32, test8, testZ, bitField:
		return true
	}
	return false
}

// oneByte is the one-byte opcode map: Intel SDM volume 2, table A-2.
const oneByte = "" +
	"mmmmbzxxmmmmbzxx" + // 00
	"mmmmbzxxmmmmbzxx" + // 10
	"mmmmbzxxmmmmbzxx" + // 20
	"mmmmbzxxmmmmbzxx" + // 30
	"xxxxxxxxxxxxxxxx" + // 40: REX
	"................" + // 50
	"xxxmxxxxzZbB...." + // 60
	"bbbbbbbbbbbbbbbb" + // 70
	"BZxBmmmmmmmmmmmm" + // 80
	"..........x....." + // 90
	"aaaa....bz......" + // a0
	"bbbbbbbbvvvvvvvv" + // b0
	"BBw.xxBZe.w..bx." + // c0
	"mmmmxxx.mmmmmmmm" + // d0
	"bbbbbbbbddxb...." + // e0
	"x.xx..fF......mm" //   f0

// twoByte is the map 0F: Intel SDM volume 2, table A-3, with AMD's additions.
const twoByte = "" +
	"mmmmx.....x.xm.B" + // 00
	"mmmmmmmmmmmmmmmm" + // 10
	"rrrrxxxxmmmmmmmm" + // 20
	"......x.xxxxxxxx" + // 30
	"mmmmmmmmmmmmmmmm" + // 40
	"mmmmmmmmmmmmmmmm" + // 50
	"mmmmmmmmmmmmmmmm" + // 60
	"BBBBmmm.qmxxmmmm" + // 70
	"dddddddddddddddd" + // 80
	"mmmmmmmmmmmmmmmm" + // 90
	"...mBmxx...mBmmm" + // a0
	"mmmmmmmmmmBmmmmm" + // b0
	"mmBmBBBm........" + // c0
	"mmmmmmmmmmmmmmmm" + // d0
	"mmmmmmmmmmmmmmmm" + // e0
	"mmmmmmmmmmmmmmmm" //   f0

// vectorOperands returns the operands of an opcode in the map 0F after a VEX or EVEX
// prefix. All except VZEROUPPER and VZEROALL have ModRM.
func vectorOperands(opcode byte) operands {
	switch {
	case opcode == 0x77:
		return none
	case opcode >= 0x70 && opcode <= 0x73, opcode == 0xc2, opcode >= 0xc4 && opcode <= 0xc6:
		return modRMImm8 // shuffles, shifts, comparisons, insertion and extraction
	}
	return modRM
}
