package predicate

import (
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf/asm"

	"trapline/bpf"
	"trapline/capture/probe"
	"trapline/internal/expr"
)

// Offsets in struct subject of bpf/filter.h.
const (
	subjectSize   = 2 // of the hit in front: the record's size
	subjectPID    = 16
	subjectTID    = 20
	subjectComm   = 40
	subjectUID    = bpf.HitSize
	subjectCPU    = bpf.HitSize + 4
	subjectRecord = bpf.HitSize + 8
)

// Verdicts: enum verdict of bpf/filter.h.
const (
	hitUnwanted = iota
	hitWanted
	hitUnreadable
)

// Registers of a compiled predicate. R0 to R5 are free for each operation, R0 with
// its result.
const (
	regResult  = asm.R0
	regOther   = asm.R1
	regSpare   = asm.R9
	regSubject = asm.R6
)

// regTemps hold left sides while right sides are evaluated; stackTemps more do so on the stack.
var regTemps = []asm.Register{asm.R7, asm.R8}

const stackTemps = 16

// A Compiled is a predicate in the instructions of BPF.
type Compiled struct {
	// instructions take the address of a struct subject in R1 and return a verdict
	// in R0.
	instructions asm.Instructions
	globs        []*expr.Glob // what they know as globMap, one after another
}

// globMap is the map that instructions refer to for the tables of patterns: one
// value with all of them.
const globMap = "predicate_globs"

// globSize is the size in bytes of a glob's table: expr.Glob.Steps.
const globSize = 256 * 16

// table returns the value of globMap.
func (c *Compiled) table() []byte {
	b := make([]byte, 0, len(c.globs)*globSize)
	for _, g := range c.globs {
		for _, s := range g.Steps {
			b = binary.LittleEndian.AppendUint64(b, s.Advance)
			b = binary.LittleEndian.AppendUint64(b, s.Stay)
		}
	}
	return b
}

// Compile compiles a filter. Evaluating the instructions gives what
// expr.Predicate.Eval gives, whose rules the package expr states.
func Compile(f *probe.Filter) (*Compiled, error) {
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
	return &Compiled{c.link(), c.globs}, nil
}

type compiler struct {
	filter *probe.Filter
	out    asm.Instructions
	jumps  map[int]label // by index in out
	labels []int         // where each is in out
	globs  []*expr.Glob
	temps  int   // in use
	unread label // where to go when a value could not be read
	err    error
}

// A label is a place to jump to.
type label int

func (c *compiler) newLabel() label {
	c.labels = append(c.labels, -1)
	return label(len(c.labels) - 1)
}

func (c *compiler) place(l label) { c.labels[l] = len(c.out) }

func (c *compiler) emit(instructions ...asm.Instruction) { c.out = append(c.out, instructions...) }

func (c *compiler) jumpTo(l label, instruction asm.Instruction) {
	if c.jumps == nil {
		c.jumps = make(map[int]label)
	}
	c.jumps[len(c.out)] = l
	c.emit(instruction)
}

func (c *compiler) jump(l label) { c.jumpTo(l, asm.Ja.Label("")) }

func (c *compiler) jumpImm(op asm.JumpOp, r asm.Register, value int32, l label) {
	c.jumpTo(l, op.Imm(r, value, ""))
}

func (c *compiler) jumpReg(op asm.JumpOp, a, b asm.Register, l label) {
	c.jumpTo(l, op.Reg(a, b, ""))
}

// link leaves out what cannot be reached, since the kernel accepts no such
// instructions, and names the places that are jumped to.
func (c *compiler) link() asm.Instructions {
	reached := make([]bool, len(c.out))
	for next := []int{0}; len(next) > 0; {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		if reached[at] {
			continue
		}
		reached[at] = true
		code := c.out[at].OpCode.JumpOp()
		if l, jumps := c.jumps[at]; jumps {
			next = append(next, c.labels[l])
		}
		if code != asm.Ja && code != asm.Exit {
			next = append(next, at+1)
		}
	}
	for at, l := range c.jumps {
		if to := c.labels[l]; reached[at] {
			name := fmt.Sprintf("predicate_%d", to)
			c.out[to] = c.out[to].WithSymbol(name)
			c.out[at] = c.out[at].WithReference(name)
		}
	}
	linked := make(asm.Instructions, 0, len(c.out))
	for at, ins := range c.out {
		if reached[at] {
			linked = append(linked, ins)
		}
	}
	return linked
}

// condition goes to yes if the node is not 0, and to no if it is.
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

// integer leaves a node's value, extended by its type, in regResult.
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

// extend makes regResult the extended value of its low bytes.
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
		c.err = fmt.Errorf("the filter is nested too deeply to be evaluated in the kernel: %s", c.filter.Predicate)
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

// calculate applies an arithmetic operation to regResult and regOther.
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

// divideSigned divides the amounts and then sets the sign: BPF has a signed division
// only since Linux 6.6. What BPF has for a division by 0 comes out right.
func (c *compiler) divideSigned(op asm.ALUOp) {
	c.emit(asm.Mov.Reg(asm.R2, regResult)) // its sign will be that of the result
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

// load leaves a named integer in regResult.
func (c *compiler) load(n *expr.Node) {
	v := c.filter.Values[n.Slot]
	at := map[probe.HitValue]int{probe.OfPID: subjectPID, probe.OfTID: subjectTID, probe.OfUID: subjectUID, probe.OfCPU: subjectCPU}[v.Of]
	if v.Of == probe.OfField {
		c.checkRead(&v)
		at = c.recordOffset(&v.Field, int(n.Type.Size))
	}
	size := map[uint8]asm.Size{1: asm.Byte, 2: asm.Half, 4: asm.Word, 8: asm.DWord}[n.Type.Size]
	c.emit(asm.LoadMem(regResult, regSubject, int16(at), size))
	if n.Type.Signed {
		c.extend(n.Type)
	}
}

// checkRead leaves the predicate if the record says that a value could not be read.
func (c *compiler) checkRead(v *probe.FilterValue) {
	if v.MarkedAt == 0 {
		return
	}
	marks := probe.Field{Name: v.Field.Name, Offset: v.MarkedAt}
	c.emit(
		asm.LoadMem(regOther, regSubject, int16(c.recordOffset(&marks, 4)), asm.Word),
		asm.And.Imm(regOther, int32(1<<v.Mark)),
	)
	c.jumpImm(asm.JNE, regOther, 0, c.unread)
}

// recordOffset returns where a field of so many bytes lies in the subject.
func (c *compiler) recordOffset(f *probe.Field, size int) int {
	at := int(f.Offset) - bpf.RecordOffset
	if at < 0 || at+size > bpf.MaxRecord {
		c.err = fmt.Errorf("%s lies beyond the %d bytes of arguments that are recorded: filters cannot compare it", f.Name, bpf.MaxRecord)
		return subjectRecord
	}
	return subjectRecord + at
}
