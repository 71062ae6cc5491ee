package analysis

import (
	"encoding/binary"

	"trapline/format"
)

// stack interns a stack whose frames are given by their index in frameList.
func (d *codeDictionary) stack(kernel bool, cut format.StackCut, frames []uint32, lost bool) uint32 {
	b := append(d.encoded[:0], byte(cut), flag(kernel)|flag(lost)<<1)
	for _, f := range frames {
		b = binary.LittleEndian.AppendUint32(b, f)
	}
	d.encoded = b
	if n, ok := d.stacks[string(b)]; ok {
		return n
	}
	n := uint32(len(d.stackList))
	st := &Stack{Cut: cut, Frames: make([]*Frame, len(frames))}
	for i, f := range frames {
		st.Frames[i] = d.frameList[f]
	}
	if lost {
		st.Calls = []*Call{d.lostCall}
	}
	d.stackList = append(d.stackList, st)
	d.stacks[string(b)] = n
	return n
}

// expand sets the calls of a stack. The symbols of its segment must be known.
func (d *codeDictionary) expand(st *Stack) {
	if len(st.Calls) > 0 {
		return
	}
	n := len(st.Frames)
	for _, f := range st.Frames {
		n += len(f.Calls) - 1
	}
	calls := make([]*Call, 0, n+1)
	for _, f := range st.Frames {
		calls = append(calls, f.Calls...)
	}
	if st.Cut != format.CutNone {
		calls = append(calls, d.cut(st.Cut))
	}
	st.Calls = calls
}

// stackAt returns stack number n-1, or nil if n is 0.
func (d *codeDictionary) stackAt(n uint32) *Stack {
	if n == 0 {
		return nil
	}
	return d.stackList[n-1]
}
