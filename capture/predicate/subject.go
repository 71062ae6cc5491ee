package predicate

import (
	"fmt"

	"github.com/cilium/ebpf/asm"

	"trapline/bpf"
	"trapline/capture/layout"
	"trapline/internal/expr"
)

// Offsets in struct subject of bpf/filter.h.
const (
	subjectSize   = 2 // size of the record, in the hit at the front
	subjectPID    = 16
	subjectTID    = 20
	subjectComm   = 40
	subjectUID    = bpf.HitSize
	subjectCPU    = bpf.HitSize + 4
	subjectRecord = bpf.HitSize + 8
)

// checkRead jumps to unread if the record marks the value as unreadable.
func (c *compiler) checkRead(v *layout.FilterValue) {
	if v.MarkedAt == 0 {
		return
	}
	marks := layout.Field{Name: v.Field.Name, Offset: v.MarkedAt}
	c.emit(
		asm.LoadMem(regOther, regSubject, int16(c.recordOffset(&marks, 4)), asm.Word),
		asm.And.Imm(regOther, int32(1<<v.Mark)),
	)
	c.jumpImm(asm.JNE, regOther, 0, c.unread)
}

// recordOffset returns the offset in the subject of a field of size bytes.
func (c *compiler) recordOffset(f *layout.Field, size int) int {
	at := int(f.Offset) - bpf.RecordOffset
	if at < 0 || at+size > bpf.MaxRecord {
		c.err = fmt.Errorf("%s lies beyond the first %d bytes of the record: filters cannot use it", f.Name, bpf.MaxRecord)
		return subjectRecord
	}
	return subjectRecord + at
}

// load leaves a named integer in regResult.
func (c *compiler) load(n *expr.Node) {
	v := c.filter.Values[n.Slot]
	at := map[layout.HitValue]int{layout.OfPID: subjectPID, layout.OfTID: subjectTID, layout.OfUID: subjectUID, layout.OfCPU: subjectCPU}[v.Of]
	if v.Of == layout.OfField {
		c.checkRead(&v)
		at = c.recordOffset(&v.Field, int(n.Type.Size))
	}
	size := map[uint8]asm.Size{1: asm.Byte, 2: asm.Half, 4: asm.Word, 8: asm.DWord}[n.Type.Size]
	c.emit(asm.LoadMem(regResult, regSubject, int16(at), size))
	if n.Type.Signed {
		c.extend(n.Type)
	}
}
