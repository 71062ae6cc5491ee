package predicate

import (
	"github.com/cilium/ebpf/asm"

	"trapline/bpf"
	"trapline/capture/layout"
	"trapline/internal/expr"
	"trapline/internal/glob"
)

// Registers for comparing texts.
const (
	regText   = asm.R1 // address of the next byte
	regLength = asm.R2 // length of a dynamic text
	regIndex  = asm.R3 // index of the next byte
	regTable  = asm.R4 // table of the pattern
	regStates = asm.R5
)

// A textPlace describes the text at regText.
type textPlace struct {
	most    int  // maximum length in bytes, at most expr.MaxText
	dynamic bool // regLength is its length
}

// compareText compares a named text with a constant.
func (c *compiler) compareText(n *expr.Node, yes, no label) {
	if n.Op == expr.OpNotEqual || n.Op == expr.OpNotMatch {
		yes, no = no, yes
	}
	c.checkRead(&c.filter.Values[n.X.Slot])
	text := c.locate(&c.filter.Values[n.X.Slot])
	if n.Op == expr.OpEqual || n.Op == expr.OpNotEqual {
		c.equalText(text, n.Y.Text, yes, no)
		return
	}
	pattern, err := glob.Parse(n.Y.Text)
	if err != nil {
		c.err = err
		return
	}
	automaton, err := glob.Compile(pattern)
	if err != nil {
		c.err = err
		return
	}
	c.matchText(text, automaton, yes, no)
}

// locate points regText and, for a dynamic text, regLength at a text. It checks the
// text's position against the size of the record, because an earlier hit may have left
// data beyond it.
func (c *compiler) locate(v *layout.FilterValue) textPlace {
	f := &v.Field
	switch {
	case v.Of == layout.OfComm:
		c.emit(asm.Mov.Reg(regText, regSubject), asm.Add.Imm(regText, subjectComm))
		return textPlace{most: 16}
	case !f.Dynamic:
		at := c.recordOffset(f, int(f.Size))
		c.emit(asm.Mov.Reg(regText, regSubject), asm.Add.Imm(regText, int32(at)))
		return textPlace{most: min(int(f.Size), expr.MaxText)}
	}
	empty, found := c.newLabel(), c.newLabel()
	c.emit(
		asm.LoadMem(asm.R0, regSubject, int16(c.recordOffset(f, 4)), asm.Word),
		asm.Mov.Reg(regLength, asm.R0),
		asm.RSh.Imm(regLength, 16),
		asm.And.Imm(asm.R0, 0xffff),
	)
	if f.Relative {
		c.emit(asm.Add.Imm(asm.R0, int32(f.Offset)+4))
	}
	c.jumpImm(asm.JLT, asm.R0, bpf.RecordOffset, empty)
	c.emit(asm.Sub.Imm(asm.R0, bpf.RecordOffset))
	c.jumpImm(asm.JGE, asm.R0, bpf.MaxRecord, empty)
	c.emit(asm.LoadMem(asm.R3, regSubject, subjectSize, asm.Half))
	c.jumpReg(asm.JGE, asm.R0, asm.R3, empty)
	c.emit(asm.Sub.Reg(asm.R3, asm.R0)) // bytes up to the end of the record
	whole := c.newLabel()
	c.jumpReg(asm.JLE, regLength, asm.R3, whole)
	c.emit(asm.Mov.Reg(regLength, asm.R3))
	c.place(whole)
	c.emit(asm.Mov.Reg(regText, regSubject), asm.Add.Reg(regText, asm.R0), asm.Add.Imm(regText, subjectRecord))
	c.jump(found)
	c.place(empty)
	c.emit(asm.Mov.Imm(regLength, 0), asm.Mov.Reg(regText, regSubject), asm.Add.Imm(regText, subjectRecord))
	c.place(found)
	return textPlace{most: expr.MaxText, dynamic: true}
}

// equalText compares byte by byte and then checks that the text ends.
func (c *compiler) equalText(text textPlace, constant string, yes, no label) {
	if len(constant) > text.most {
		c.jump(no)
		return
	}
	if text.dynamic {
		c.jumpImm(asm.JLT, regLength, int32(len(constant)), no)
	}
	for i := range len(constant) {
		c.emit(asm.LoadMem(asm.R0, regText, int16(i), asm.Byte))
		c.jumpImm(asm.JNE, asm.R0, int32(constant[i]), no)
	}
	if len(constant) == text.most {
		c.jump(yes)
		return
	}
	if text.dynamic {
		c.jumpImm(asm.JEq, regLength, int32(len(constant)), yes)
	}
	c.emit(asm.LoadMem(asm.R0, regText, int16(len(constant)), asm.Byte))
	c.jumpImm(asm.JEq, asm.R0, 0, yes)
	c.jump(no)
}

// matchText runs the automaton of a pattern. Each iteration has one branch that the
// verifier follows both ways: it limits iterations times branches to 8,192 per program.
func (c *compiler) matchText(text textPlace, a *glob.Automaton, yes, no label) {
	table := asm.LoadMapValue(regTable, 0, uint32(len(c.globs)*globSize)).WithReference(globMap)
	c.globs = append(c.globs, a)
	loop, stuck, end := c.newLabel(), c.newLabel(), c.newLabel()
	c.emit(table, asm.LoadImm(regStates, int64(a.Start), asm.DWord), asm.Mov.Imm(regIndex, 0))
	c.place(loop)
	c.textByte(text)
	c.emit(
		asm.LSh.Imm(asm.R0, 4),
		asm.Add.Reg(asm.R0, regTable),
		asm.LoadMem(regSpare, asm.R0, 0, asm.DWord), // Step.Advance
		asm.And.Reg(regSpare, regStates),
		asm.LSh.Imm(regSpare, 1),
		asm.LoadMem(asm.R0, asm.R0, 8, asm.DWord), // Step.Stay
		asm.And.Reg(asm.R0, regStates),
		asm.Or.Reg(asm.R0, regSpare),
	)
	c.jumpImm(asm.JEq, asm.R0, 0, stuck)
	c.emit(asm.Mov.Reg(regStates, asm.R0), asm.Add.Imm(regText, 1), asm.Add.Imm(regIndex, 1))
	c.jumpImm(asm.JLT, regIndex, int32(text.most), loop)
	c.jump(end)
	// No state is left: the text has ended or does not match.
	c.place(stuck)
	c.textByte(text)
	c.jumpImm(asm.JNE, asm.R0, 0, no)
	c.place(end)
	c.emit(asm.LoadImm(asm.R0, int64(a.Accept), asm.DWord), asm.And.Reg(asm.R0, regStates))
	c.jumpImm(asm.JNE, asm.R0, 0, yes)
	c.jump(no)
}

// textByte leaves the next byte in R0, or 0 after the end of a dynamic text.
func (c *compiler) textByte(text textPlace) {
	c.emit(asm.LoadMem(asm.R0, regText, 0, asm.Byte))
	if text.dynamic {
		c.emit(
			asm.Mov.Reg(regSpare, regIndex),
			asm.Sub.Reg(regSpare, regLength),
			asm.ArSh.Imm(regSpare, 63), // all ones before the end
			asm.And.Reg(asm.R0, regSpare),
		)
	}
}
