package unwind

import (
	"sync"

	"trapline/internal/cursor"
)

// Call frame instructions (DWARF 5, section 7.24, and GNU's).
const (
	cfaAdvanceLoc = 0x40 // high two bits; the operand is in the others
	cfaOffset     = 0x80
	cfaRestore    = 0xc0
	cfaOperand    = 0x3f

	cfaNop                       = 0x00
	cfaSetLoc                    = 0x01
	cfaAdvanceLoc1               = 0x02
	cfaAdvanceLoc2               = 0x03
	cfaAdvanceLoc4               = 0x04
	cfaOffsetExtended            = 0x05
	cfaRestoreExtended           = 0x06
	cfaUndefined                 = 0x07
	cfaSameValue                 = 0x08
	cfaRegister                  = 0x09
	cfaRememberState             = 0x0a
	cfaRestoreState              = 0x0b
	cfaDefCFA                    = 0x0c
	cfaDefCFARegister            = 0x0d
	cfaDefCFAOffset              = 0x0e
	cfaDefCFAExpression          = 0x0f
	cfaExpression                = 0x10
	cfaOffsetExtendedSF          = 0x11
	cfaDefCFASF                  = 0x12
	cfaDefCFAOffsetSF            = 0x13
	cfaValOffset                 = 0x14
	cfaValOffsetSF               = 0x15
	cfaValExpression             = 0x16
	cfaMIPSAdvanceLoc8           = 0x1d
	cfaGNUWindowSave             = 0x2d
	cfaGNUArgsSize               = 0x2e
	cfaGNUNegativeOffsetExtended = 0x2f
)

// maxSavedRows limits the nesting of remember_state. Compilers nest it once.
const maxSavedRows = 4

// A program executes call frame instructions up to an address.
type program struct {
	cursor.Cursor
	fde     fde
	bases   bases
	loc     uint64
	row     row
	inCIE   bool
	initial row // as the CIE left it
	saved   [maxSavedRows]row
	depth   int // of saved
}

// programs pools programs, which take some kilobytes each, to spare the collector.
var programs = sync.Pool{New: func() any { return new(program) }}

// row executes the instructions of the CIE and the FDE up to an address that the FDE
// covers. It returns false if they are malformed.
func (f fde) row(vaddr uint64) (row, bool) {
	p := programs.Get().(*program)
	defer programs.Put(p)
	p.start(f)
	p.run(vaddr)
	return p.result()
}

// start executes the CIE's instructions.
func (p *program) start(f fde) {
	p.fde, p.depth = f, 0
	p.row = row{kind: RuleStep, signal: f.cie.signal}
	p.inCIE, p.Cursor, p.bases = true, cursor.Little(f.cie.program), f.cie.bases
	p.run(1<<64 - 1) // locations mean nothing in a CIE
	p.initial = p.row
	p.inCIE, p.bases, p.loc = false, f.bases, f.begin
	if p.OK() {
		p.Cursor = cursor.Little(f.program)
	}
}

// result returns the current row.
func (p *program) result() (row, bool) {
	if !p.OK() || p.row.cfa.reg >= registers {
		return row{}, false
	}
	r := p.row
	if ra := p.fde.cie.ra; ra != RegIP {
		r.regs[RegIP] = r.regs[ra]
	}
	// A row without the return address is useless.
	return r, r.regs[RegIP].kind != ruleUnspecified
}

// run executes the instructions for locations up to last.
func (p *program) run(last uint64) {
	for p.Len() > 0 {
		op := p.U8()
		if loc, moves := p.advance(op); !moves {
			p.apply(op)
		} else if loc > last {
			return
		} else {
			p.loc = loc
		}
	}
}

// next executes instructions up to the first location after from, and returns it.
func (p *program) next(from uint64) (loc uint64, more bool) {
	for p.Len() > 0 {
		op := p.U8()
		loc, moves := p.advance(op)
		if !moves {
			p.apply(op)
			continue
		}
		if p.loc = loc; loc > from {
			return loc, true
		}
	}
	return 1<<64 - 1, false
}

// advance reads the operand of an instruction that moves to another location.
func (p *program) advance(op byte) (loc uint64, moves bool) {
	var delta uint64
	switch {
	case op&^cfaOperand == cfaAdvanceLoc:
		delta = uint64(op & cfaOperand)
	case op == cfaAdvanceLoc1:
		delta = uint64(p.U8())
	case op == cfaAdvanceLoc2:
		delta = uint64(p.U16())
	case op == cfaAdvanceLoc4:
		delta = uint64(p.U32())
	case op == cfaMIPSAdvanceLoc8:
		delta = p.U64()
	case op == cfaSetLoc:
		return readPointer(&p.Cursor, p.fde.cie.encoding, &p.bases), true
	default:
		return 0, false
	}
	return p.loc + delta*p.fde.cie.codeAlign, true
}

// apply executes an instruction that changes the row.
func (p *program) apply(op byte) {
	switch op &^ cfaOperand {
	case cfaOffset:
		p.set(uint64(op&cfaOperand), registerRule{kind: ruleOffset, offset: p.factored()})
		return
	case cfaRestore:
		p.restore(uint64(op & cfaOperand))
		return
	}
	switch op {
	case cfaNop, cfaGNUWindowSave:
	case cfaGNUArgsSize:
		p.Uleb()
	case cfaRememberState:
		if p.depth == maxSavedRows {
			p.Fail()
			return
		}
		p.saved[p.depth] = p.row
		p.depth++
	case cfaRestoreState:
		if p.depth == 0 {
			p.Fail()
			return
		}
		p.depth--
		p.row = p.saved[p.depth]
	case cfaDefCFA, cfaDefCFASF, cfaDefCFARegister, cfaDefCFAOffset, cfaDefCFAOffsetSF, cfaDefCFAExpression:
		p.defineCFA(op)
	default:
		p.defineRegister(op)
	}
}

// defineCFA sets the rule of the CFA.
func (p *program) defineCFA(op byte) {
	cfa := &p.row.cfa
	switch op {
	case cfaDefCFA:
		reg := p.Uleb()
		*cfa = cfaRule{reg: followed(reg), offset: int64(p.Uleb())}
	case cfaDefCFASF:
		reg := p.Uleb()
		*cfa = cfaRule{reg: followed(reg), offset: p.signed()}
	case cfaDefCFARegister:
		p.checkRegister()
		cfa.reg = followed(p.Uleb())
	case cfaDefCFAOffset:
		p.checkRegister()
		cfa.offset = int64(p.Uleb())
	case cfaDefCFAOffsetSF:
		p.checkRegister()
		cfa.offset = p.signed()
	case cfaDefCFAExpression:
		*cfa = cfaRule{expression: p.Block()}
	}
}

// defineRegister sets the rule of the register that is the first operand.
func (p *program) defineRegister(op byte) {
	reg := p.Uleb()
	switch op {
	case cfaOffsetExtended:
		p.set(reg, registerRule{kind: ruleOffset, offset: p.factored()})
	case cfaOffsetExtendedSF:
		p.set(reg, registerRule{kind: ruleOffset, offset: p.signed()})
	case cfaGNUNegativeOffsetExtended:
		p.set(reg, registerRule{kind: ruleOffset, offset: -p.factored()})
	case cfaRestoreExtended:
		p.restore(reg)
	case cfaUndefined:
		p.set(reg, registerRule{kind: ruleUndefined})
	case cfaSameValue:
		p.set(reg, registerRule{kind: ruleSame})
	case cfaRegister:
		if in := p.Uleb(); in < registers {
			p.set(reg, registerRule{kind: ruleRegister, reg: uint8(in)})
		} else {
			p.set(reg, registerRule{kind: ruleUnknown})
		}
	case cfaExpression:
		p.set(reg, registerRule{kind: ruleExpression, expression: p.Block()})
	case cfaValOffset:
		p.set(reg, registerRule{kind: ruleValOffset, offset: p.factored()})
	case cfaValOffsetSF:
		p.set(reg, registerRule{kind: ruleValOffset, offset: p.signed()})
	case cfaValExpression:
		p.set(reg, registerRule{kind: ruleValExpression, expression: p.Block()})
	default:
		p.Fail()
	}
}

// checkRegister fails if the CFA is an expression, which has no register or offset to change.
func (p *program) checkRegister() {
	if p.row.cfa.expression != nil {
		p.Fail()
	}
}

// factored reads an unsigned offset in units of the data alignment.
func (p *program) factored() int64 { return int64(p.Uleb()) * p.fde.cie.dataAlign }

// signed reads a signed offset in units of the data alignment.
func (p *program) signed() int64 { return p.Sleb() * p.fde.cie.dataAlign }

// set sets a register's rule. It ignores registers that are not tracked.
func (p *program) set(reg uint64, r registerRule) {
	if reg < registers {
		p.row.regs[reg] = r
	}
}

func (p *program) restore(reg uint64) {
	if p.inCIE {
		p.Fail()
	} else if reg < registers {
		p.row.regs[reg] = p.initial.regs[reg]
	}
}

// followed maps all registers that are not tracked to one invalid number.
func followed(reg uint64) uint8 { return uint8(min(reg, registers)) }
