package value

import (
	"errors"
	"fmt"
	"math"

	"trapline/capture/layout"
	"trapline/internal/cursor"
)

// Operations of DWARF expressions that locate variables (DWARF 5, section 7.7.1).
const (
	opAddr        = 0x03
	opConst1u     = 0x08
	opConsts      = 0x11
	opPlusUconst  = 0x23
	opLit0        = 0x30
	opReg0        = 0x50
	opBreg0       = 0x70
	opRegx        = 0x90
	opFbreg       = 0x91
	opBregx       = 0x92
	opPiece       = 0x93
	opCallCFA     = 0x9c
	opStackValue  = 0x9f
	opAddrx       = 0xa1
	opEntryValue  = 0xa3
	opGNUEntry    = 0xf3
	opLit31       = 0x4f
	opReg31       = 0x6f
	opBreg31      = 0x8f
	opConstu      = 0x10
	opDeref       = 0x06
	maxExpression = 4096 // bytes
)

// dwarfWords maps DWARF's register numbers on x86-64 to words of struct pt_regs (System V
// ABI, figure 3.36).
var dwarfWords = []uint8{wordAX, wordDX, wordCX, wordBX, wordSI, wordDI, wordBP, wordSP,
	wordR8, wordR9, wordR10, wordR11, wordR12, wordR13, wordR14, wordR15}

func dwarfWord(n uint64) (uint8, error) {
	if n < uint64(len(dwarfWords)) {
		return dwarfWords[n], nil
	}
	if n >= 17 && n <= 32 {
		return 0, errors.New("is in a vector register, which programs cannot read")
	}
	return 0, fmt.Errorf("is in DWARF's register %d, which is not known", n)
}

// A frameBase is the address that locations in a function are relative to.
type frameBase struct {
	word uint8 // register
	add  int64
	err  error // why it is not known
}

// An evaluator evaluates location expressions at one address of a program.
type evaluator struct {
	function  []byte                            // DW_AT_frame_base
	cfa       func() frameBase                  // CFA at the address
	static    func(address uint64) location     // location of static data
	addresses func(index uint64) (uint64, bool) // entry of .debug_addr
}

// errNotKnown reports a location that a fetch cannot express.
var errNotKnown = errors.New("has a location that cannot be followed")

// locate returns the location that an expression describes.
func (l *evaluator) locate(expression []byte) (location, error) {
	if len(expression) == 0 {
		return location{}, errOptimizedOut
	}
	if len(expression) > maxExpression {
		return location{}, errNotKnown
	}
	x := cursor.Little(expression)
	var pieces []layout.Fetch
	for {
		p, err := l.one(&x)
		if err != nil {
			return location{}, err
		}
		if x.Len() == 0 {
			if pieces != nil {
				return location{}, errNotKnown
			}
			return p, nil
		}
		if x.U8() != opPiece {
			return location{}, errNotKnown
		}
		size := x.Uleb()
		if !x.OK() || size > 8 || x.Len() > 0 && size != 8 {
			return location{}, errNotKnown // all pieces except the last must be whole words
		}
		f, err := p.value()
		if err != nil {
			return location{}, err
		}
		if pieces = append(pieces, f); len(pieces) > 8 {
			return location{}, errNotKnown
		}
		if x.Len() == 0 {
			return location{space: layout.UserMemory, pieces: pieces}, nil
		}
	}
}

// one evaluates one location, up to a piece or the end.
func (l *evaluator) one(x *cursor.Cursor) (location, error) {
	op := x.U8()
	var p location
	switch {
	case op == opPiece:
		return p, errOptimizedOut // a piece without location
	case op >= opReg0 && op <= opReg31, op == opRegx:
		n := uint64(op - opReg0)
		if op == opRegx {
			n = x.Uleb()
		}
		w, err := dwarfWord(n)
		return inRegister(nil, layout.UserMemory, w), err
	case op >= opBreg0 && op <= opBreg31, op == opBregx:
		n := uint64(op - opBreg0)
		if op == opBregx {
			n = x.Uleb()
		}
		w, err := dwarfWord(n)
		if err != nil {
			return p, err
		}
		p = location{memory: true, space: layout.UserMemory, fetch: layout.Fetch{Word: w}, add: x.Sleb()}
	case op == opFbreg, op == opCallCFA:
		base := l.cfa
		add := int64(0)
		if op == opFbreg {
			base, add = l.base, x.Sleb()
		}
		b := base()
		if b.err != nil {
			return p, b.err
		}
		p = location{memory: true, space: layout.UserMemory, fetch: layout.Fetch{Word: b.word}, add: b.add + add}
	case op == opAddr, op == opAddrx:
		address := uint64(0)
		if op == opAddr {
			address = x.U64()
		} else {
			var ok bool
			if address, ok = l.addresses(x.Uleb()); !ok {
				return p, errNotKnown
			}
		}
		p = l.static(address)
	case op >= opLit0 && op <= opLit31:
		return l.constant(x, uint64(op-opLit0))
	case op >= opConst1u && op <= opConsts:
		return l.constant(x, readConstant(x, op))
	default:
		return p, errNotKnown
	}
	return l.address(x, p)
}

// address evaluates what follows an address: offsets, dereferences, and
// DW_OP_stack_value, which makes the address the value.
func (l *evaluator) address(x *cursor.Cursor, p location) (location, error) {
	for x.Len() > 0 && x.Rest()[0] != opPiece {
		switch op := x.U8(); {
		case op == opPlusUconst:
			p.add += int64(min(x.Uleb(), math.MaxInt32))
		case op == opDeref:
			f, err := p.load(8)
			if err != nil {
				return p, err
			}
			p.fetch, p.add = f, 0
		case op == opStackValue:
			f, err := p.address()
			return location{space: layout.UserMemory, pieces: []layout.Fetch{f}}, err
		default:
			return p, errNotKnown
		}
	}
	if !x.OK() {
		return p, errNotKnown
	}
	return p, nil
}

func (l *evaluator) constant(x *cursor.Cursor, n uint64) (location, error) {
	if x.U8() != opStackValue || !x.OK() {
		return location{}, errNotKnown
	}
	return location{space: layout.UserMemory, pieces: []layout.Fetch{{Base: layout.FetchConstant, Constant: n}}}, nil
}

// base evaluates DW_AT_frame_base: a register or the CFA.
func (l *evaluator) base() frameBase {
	x := cursor.Little(l.function)
	op := x.U8()
	switch {
	case op == opCallCFA && x.Len() == 0:
		return l.cfa()
	case op >= opReg0 && op <= opReg31 && x.Len() == 0:
		w, err := dwarfWord(uint64(op - opReg0))
		return frameBase{word: w, err: err}
	case op >= opBreg0 && op <= opBreg31:
		w, err := dwarfWord(uint64(op - opBreg0))
		b := frameBase{word: w, add: x.Sleb(), err: err}
		if x.Len() > 0 || !x.OK() {
			b.err = errNotKnown
		}
		return b
	}
	return frameBase{err: errNotKnown}
}

// readConstant reads the operand of DW_OP_const1u to DW_OP_consts.
func readConstant(x *cursor.Cursor, op byte) uint64 {
	switch op - opConst1u {
	case 0:
		return uint64(x.U8())
	case 1:
		return uint64(int8(x.U8()))
	case 2:
		return uint64(x.U16())
	case 3:
		return uint64(int16(x.U16()))
	case 4:
		return uint64(x.U32())
	case 5:
		return uint64(int32(x.U32()))
	case 6, 7:
		return x.U64()
	case 8:
		return x.Uleb()
	}
	return uint64(x.Sleb())
}
