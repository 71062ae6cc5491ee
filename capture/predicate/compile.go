package predicate

import (
	"fmt"

	"github.com/cilium/ebpf/asm"

	"trapline/capture/layout"
	"trapline/internal/expr"
)

// condition jumps to yes if the node is not 0, and to no if it is.
func (c *compiler) condition(n *expr.Node, yes, no label) {
	switch {
	case n.Op == expr.OpAnd:
		next := c.newLabel()
		c.condition(n.X, next, no)
		c.place(next)
		c.condition(n.Y, yes, no)
	case n.Op == expr.OpOr:
		next := c.newLabel()
		c.condition(n.X, yes, next)
		c.place(next)
		c.condition(n.Y, yes, no)
	case n.Op == expr.OpNot:
		c.condition(n.X, no, yes)
	case n.Op.Compares() && n.X.Type == expr.Text:
		c.compareText(n, yes, no)
	case n.Op.Compares():
		c.operands(n)
		c.jumpReg(jumpOf(n.Op, n.X.Type.Signed), regResult, regOther, yes)
		c.jump(no)
	default:
		c.integer(n)
		c.jumpImm(asm.JNE, regResult, 0, yes)
		c.jump(no)
	}
}

func jumpOf(op expr.Op, signed bool) asm.JumpOp {
	ops := map[expr.Op][2]asm.JumpOp{
		expr.OpEqual:        {asm.JEq, asm.JEq},
		expr.OpNotEqual:     {asm.JNE, asm.JNE},
		expr.OpLess:         {asm.JLT, asm.JSLT},
		expr.OpLessEqual:    {asm.JLE, asm.JSLE},
		expr.OpGreater:      {asm.JGT, asm.JSGT},
		expr.OpGreaterEqual: {asm.JGE, asm.JSGE},
	}[op]
	if signed {
		return ops[1]
	}
	return ops[0]
}

// integer leaves the value of a node in regResult, extended by its type.
func (c *compiler) integer(n *expr.Node) {
	switch {
	case n.Op == expr.OpInt:
		if v := int64(n.Int); v == int64(int32(v)) {
			c.emit(asm.Mov.Imm(regResult, int32(v)))
		} else {
			c.emit(asm.LoadImm(regResult, v, asm.DWord))
		}
	case n.Op == expr.OpName:
		c.load(n)
	case n.Op == expr.OpConvert:
		c.integer(n.X)
		if n.X.Type.Signed && n.Type == expr.U32 {
			c.extend(n.Type)
		}
	case n.Op == expr.OpNegate:
		c.integer(n.X)
		c.emit(asm.Neg.Imm(regResult, 0))
		c.extend(n.Type)
	case n.Op == expr.OpComplement:
		c.integer(n.X)
		c.emit(asm.Xor.Imm(regResult, -1))
		c.extend(n.Type)
	case n.Op == expr.OpNot || n.Op == expr.OpAnd || n.Op == expr.OpOr || n.Op.Compares():
		yes, no, end := c.newLabel(), c.newLabel(), c.newLabel()
		c.condition(n, yes, no)
		c.place(yes)
		c.emit(asm.Mov.Imm(regResult, 1))
		c.jump(end)
		c.place(no)
		c.emit(asm.Mov.Imm(regResult, 0))
		c.place(end)
	default:
		c.operands(n)
		c.calculate(n)
	}
}

// operands leaves X in regResult and Y in regOther.
func (c *compiler) operands(n *expr.Node) {
	c.integer(n.X)
	temp := c.temps
	c.temps++
	switch {
	case temp < len(regTemps):
		c.emit(asm.Mov.Reg(regTemps[temp], regResult))
	case temp < len(regTemps)+stackTemps:
		c.emit(asm.StoreMem(asm.RFP, stackOffset(temp), regResult, asm.DWord))
	default:
		c.err = fmt.Errorf("the filter is nested too deeply for the kernel: %s", c.filter.Predicate)
	}
	c.integer(n.Y)
	c.emit(asm.Mov.Reg(regOther, regResult))
	switch {
	case temp < len(regTemps):
		c.emit(asm.Mov.Reg(regResult, regTemps[temp]))
	case temp < len(regTemps)+stackTemps:
		c.emit(asm.LoadMem(regResult, asm.RFP, stackOffset(temp), asm.DWord))
	}
	c.temps--
}

func stackOffset(temp int) int16 { return int16(-8 * (temp - len(regTemps) + 1)) }

// compile compiles a filter. The instructions compute what expr.Predicate.Eval does;
// package expr states the rules.
func compile(f *layout.Filter) (*compiled, error) {
	c := compiler{filter: f}
	yes, no := c.newLabel(), c.newLabel()
	c.unread = c.newLabel()
	c.emit(asm.Mov.Reg(regSubject, asm.R1))
	c.jumpImm(asm.JEq, regSubject, 0, no)
	c.condition(f.Predicate.Root, yes, no)
	c.place(yes)
	c.emit(asm.Mov.Imm(regResult, hitWanted), asm.Return())
	c.place(no)
	c.emit(asm.Mov.Imm(regResult, hitUnwanted), asm.Return())
	c.place(c.unread)
	c.emit(asm.Mov.Imm(regResult, hitUnreadable), asm.Return())
	if c.err != nil {
		return nil, c.err
	}
	return &compiled{c.link(), c.globs}, nil
}
