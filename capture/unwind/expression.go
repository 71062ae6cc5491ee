package unwind

import (
	"encoding/binary"

	"trapline/internal/cursor"
)

// Operations of DWARF expressions (DWARF 5, section 7.7.1) that call frame information uses.
const (
	opAddr       = 0x03
	opDeref      = 0x06
	opConst1U    = 0x08
	opConst1S    = 0x09
	opConst2U    = 0x0a
	opConst2S    = 0x0b
	opConst4U    = 0x0c
	opConst4S    = 0x0d
	opConst8U    = 0x0e
	opConst8S    = 0x0f
	opConstU     = 0x10
	opConstS     = 0x11
	opDup        = 0x12
	opDrop       = 0x13
	opOver       = 0x14
	opPick       = 0x15
	opSwap       = 0x16
	opRot        = 0x17
	opAbs        = 0x19
	opAnd        = 0x1a
	opDiv        = 0x1b
	opMinus      = 0x1c
	opMod        = 0x1d
	opMul        = 0x1e
	opNeg        = 0x1f
	opNot        = 0x20
	opOr         = 0x21
	opPlus       = 0x22
	opPlusUConst = 0x23
	opShl        = 0x24
	opShr        = 0x25
	opShra       = 0x26
	opXor        = 0x27
	opBra        = 0x28
	opEq         = 0x29
	opGe         = 0x2a
	opGt         = 0x2b
	opLe         = 0x2c
	opLt         = 0x2d
	opNe         = 0x2e
	opSkip       = 0x2f
	opLit0       = 0x30
	opLit31      = 0x4f
	opBreg0      = 0x70
	opBreg31     = 0x8f
	opBregX      = 0x92
	opDerefSize  = 0x94
	opNop        = 0x96
)

// Limits on an expression. Branches can form loops.
const (
	maxExpressionSteps = 512
	maxExpressionStack = 32
)

// A term is a value of an expression: a number, or a number added to something unknown
// during evaluation.
type term struct {
	base  termBase
	reg   uint8  // of termRegister and termWord
	inner uint64 // of termWord: offset of the word from the register
	n     uint64
}

type termBase uint8

const (
	termNumber   termBase = iota
	termRegister          // a register's value
	termWord              // a word of memory at an offset from a register
	termCFA
	termImage // n is a linked address of the image
)

// An environment supplies the inputs of an expression.
type environment interface {
	// register returns the value of a register, or false if it is unknown.
	register(n uint64) (term, bool)
	// load returns size bytes of memory at an address, or false if they cannot be read.
	load(address term, size uint64) (term, bool)
	// address returns the value of a linked address of the image.
	address(linked uint64) term
}

// An evaluation is the state of the DWARF stack machine.
type evaluation struct {
	cursor.Cursor
	stack []term
	env   environment
}

// evaluate evaluates an expression, with initial on the stack. It returns false if the
// expression is malformed, uses operations that call frame information does not need, or
// needs an unknown value.
func evaluate(expression []byte, env environment, initial ...term) (term, bool) {
	var room [8]term
	e := evaluation{Cursor: cursor.Little(expression), stack: append(room[:0], initial...), env: env}
	for steps := 0; e.Len() > 0; steps++ {
		if e.step(); !e.OK() || steps == maxExpressionSteps || len(e.stack) > maxExpressionStack {
			return term{}, false
		}
	}
	result := e.pop()
	return result, e.OK()
}

func (e *evaluation) push(t term)     { e.stack = append(e.stack, t) }
func (e *evaluation) number(n uint64) { e.push(term{n: n}) }
func (e *evaluation) accept(t term, ok bool) {
	if !ok {
		e.Fail()
	}
	e.push(t)
}

func (e *evaluation) pop() term { return e.pick(0, true) }

// pick returns the term at a depth. The top term has depth 0.
func (e *evaluation) pick(depth int, remove bool) term {
	at := len(e.stack) - 1 - depth
	if at < 0 {
		e.Fail()
		return term{}
	}
	t := e.stack[at]
	if remove {
		e.stack = e.stack[:at]
	}
	return t
}

func (e *evaluation) step() {
	op := e.U8()
	switch {
	case op >= opLit0 && op <= opLit31:
		e.number(uint64(op - opLit0))
	case op >= opBreg0 && op <= opBreg31:
		e.based(uint64(op - opBreg0))
	case op >= opConst1U && op <= opConstS:
		e.constant(op)
	case op >= opDup && op <= opRot:
		e.rearrange(op)
	default:
		e.operate(op)
	}
}

// constant pushes the operand of DW_OP_const1u to DW_OP_consts.
func (e *evaluation) constant(op byte) {
	switch op {
	case opConst1U:
		e.number(uint64(e.U8()))
	case opConst1S:
		e.number(uint64(int8(e.U8())))
	case opConst2U:
		e.number(uint64(e.U16()))
	case opConst2S:
		e.number(uint64(int16(e.U16())))
	case opConst4U:
		e.number(uint64(e.U32()))
	case opConst4S:
		e.number(uint64(int32(e.U32())))
	case opConst8U, opConst8S:
		e.number(e.U64())
	case opConstU:
		e.number(e.Uleb())
	case opConstS:
		e.number(uint64(e.Sleb()))
	}
}

// rearrange executes the operations that copy, drop and move terms.
func (e *evaluation) rearrange(op byte) {
	switch op {
	case opDup:
		e.push(e.pick(0, false))
	case opDrop:
		e.pop()
	case opOver:
		e.push(e.pick(1, false))
	case opPick:
		e.push(e.pick(int(e.U8()), false))
	case opSwap:
		b, a := e.pop(), e.pop()
		e.push(b)
		e.push(a)
	case opRot: // the top term becomes the third
		c, b, a := e.pop(), e.pop(), e.pop()
		e.push(c)
		e.push(a)
		e.push(b)
	}
}

// operate executes all other operations: memory, arithmetic and jumps.
func (e *evaluation) operate(op byte) {
	switch op {
	case opNop:
	case opBregX:
		e.based(e.Uleb())
	case opAddr:
		e.push(e.env.address(e.U64()))
	case opDeref:
		e.accept(e.env.load(e.pop(), 8))
	case opDerefSize:
		size := uint64(e.U8())
		e.accept(e.env.load(e.pop(), size))
	case opPlusUConst:
		e.accept(add(e.pop(), term{n: e.Uleb()}))
	case opSkip:
		e.jump(int16(e.U16()))
	case opBra:
		by := int16(e.U16())
		if t := e.pop(); t.base != termNumber {
			e.Fail()
		} else if t.n != 0 {
			e.jump(by)
		}
	case opAbs, opNeg, opNot:
		e.accept(unaryTerm(op, e.pop()))
	default:
		b, a := e.pop(), e.pop()
		e.accept(binaryTerm(op, a, b))
	}
}

// based pushes the value of a register plus the operand.
func (e *evaluation) based(reg uint64) {
	by := term{n: uint64(e.Sleb())}
	t, ok := e.env.register(reg)
	if !ok {
		e.Fail()
		return
	}
	e.accept(add(t, by))
}

// jump moves by bytes, counted from the end of its operand.
func (e *evaluation) jump(by int16) { e.Seek(e.Pos() + int(by)) }

// add adds two terms. At least one must be a number.
func add(a, b term) (term, bool) {
	if b.base != termNumber {
		a, b = b, a
	}
	a.n += b.n
	return a, b.base == termNumber
}

func unaryTerm(op byte, a term) (term, bool) {
	if a.base != termNumber {
		return term{}, false
	}
	switch {
	case op == opNot:
		a.n = ^a.n
	case op == opNeg || int64(a.n) < 0:
		a.n = -a.n
	}
	return a, true
}

// pageMask is the bits of an address that do not depend on where its image is mapped.
const pageMask = 1<<12 - 1

// binaryTerm computes a op b.
func binaryTerm(op byte, a, b term) (term, bool) {
	switch op {
	case opPlus:
		return add(a, b)
	case opMinus:
		if a.base != termNumber && b.base == a.base && a.reg == b.reg && a.inner == b.inner {
			return term{n: a.n - b.n}, true
		}
		b.n = -b.n
		return add(a, b)
	case opAnd:
		if a.base == termImage && b.base == termNumber && b.n <= pageMask {
			a.base = termNumber
		}
	}
	if a.base != termNumber || b.base != termNumber {
		return term{}, false
	}
	n, ok := arithmetic(op, a.n, b.n)
	return term{n: n}, ok
}

func arithmetic(op byte, a, b uint64) (uint64, bool) {
	truth := func(is bool) (uint64, bool) {
		if is {
			return 1, true
		}
		return 0, true
	}
	switch op {
	case opAnd:
		return a & b, true
	case opOr:
		return a | b, true
	case opXor:
		return a ^ b, true
	case opMul:
		return a * b, true
	case opDiv: // signed
		if b == 0 {
			return 0, false
		}
		return uint64(int64(a) / int64(b)), true
	case opMod: // unsigned
		if b == 0 {
			return 0, false
		}
		return a % b, true
	case opShl:
		return a << b, true
	case opShr:
		return a >> b, true
	case opShra:
		return uint64(int64(a) >> b), true
	case opEq:
		return truth(a == b)
	case opNe:
		return truth(a != b)
	case opGe:
		return truth(int64(a) >= int64(b))
	case opGt:
		return truth(int64(a) > int64(b))
	case opLe:
		return truth(int64(a) <= int64(b))
	case opLt:
		return truth(int64(a) < int64(b))
	}
	return 0, false
}

// littleEndian reads a number of 1, 2, 4 or 8 bytes.
func littleEndian(b []byte) (uint64, bool) {
	switch len(b) {
	case 1:
		return uint64(b[0]), true
	case 2:
		return uint64(binary.LittleEndian.Uint16(b)), true
	case 4:
		return uint64(binary.LittleEndian.Uint32(b)), true
	case 8:
		return binary.LittleEndian.Uint64(b), true
	}
	return 0, false
}
