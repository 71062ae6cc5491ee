package predicate

import (
	"github.com/cilium/ebpf/asm"

	"trapline/internal/expr"
)

// extend extends the low bytes of regResult by the type's size and sign.
func (c *compiler) extend(t expr.Type) {
	switch {
	case t.Size >= 8:
	case t.Size == 4 && !t.Signed:
		c.emit(asm.Mov.Reg32(regResult, regResult))
	default:
		shift := 64 - 8*int32(t.Size)
		c.emit(asm.LSh.Imm(regResult, shift))
		if t.Signed {
			c.emit(asm.ArSh.Imm(regResult, shift))
		} else {
			c.emit(asm.RSh.Imm(regResult, shift))
		}
	}
}

// calculate emits an arithmetic operation on regResult and regOther.
func (c *compiler) calculate(n *expr.Node) {
	var op asm.ALUOp
	switch n.Op {
	case expr.OpBitOr:
		op = asm.Or
	case expr.OpBitXor:
		op = asm.Xor
	case expr.OpBitAnd:
		op = asm.And
	case expr.OpAdd:
		op = asm.Add
	case expr.OpSubtract:
		op = asm.Sub
	case expr.OpMultiply:
		op = asm.Mul
	case expr.OpShiftLeft, expr.OpShiftRight:
		c.emit(asm.And.Imm(regOther, 8*int32(n.Type.Size)-1))
		switch {
		case n.Op == expr.OpShiftLeft:
			op = asm.LSh
		case n.Type.Signed:
			op = asm.ArSh
		default:
			op = asm.RSh
		}
	case expr.OpDivide, expr.OpRemainder:
		op = asm.Div
		if n.Op == expr.OpRemainder {
			op = asm.Mod
		}
		if n.Type.Signed {
			c.divideSigned(op)
			c.extend(n.Type)
			return
		}
	}
	c.emit(op.Reg(regResult, regOther))
	c.extend(n.Type)
}

// divideSigned divides absolute values and then sets the sign, because BPF has signed
// division only since Linux 6.6. BPF's results for division by 0 are the required ones.
func (c *compiler) divideSigned(op asm.ALUOp) {
	c.emit(asm.Mov.Reg(asm.R2, regResult)) // has the sign of the result
	if op == asm.Div {
		c.emit(asm.Xor.Reg(asm.R2, regOther))
	}
	for _, r := range []asm.Register{regResult, regOther} {
		positive := c.newLabel()
		c.jumpImm(asm.JSGE, r, 0, positive)
		c.emit(asm.Neg.Imm(r, 0))
		c.place(positive)
	}
	c.emit(op.Reg(regResult, regOther))
	positive := c.newLabel()
	c.jumpImm(asm.JSGE, asm.R2, 0, positive)
	c.emit(asm.Neg.Imm(regResult, 0))
	c.place(positive)
}
