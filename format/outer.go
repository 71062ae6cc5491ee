package format

import "slices"

// An outerFinder finds stacks that begin alike. Stacks of one program share their
// outermost frames with another one nearly always, so that only the inner ones,
// a third, have to be stored.
type outerFinder struct {
	stacks []Stack  // of the segment so far, from ID 1 on
	latest []uint32 // by hash of outermost frames: number in stacks + 1 of the last one with them
	hashes []uint64 // of the stack at hand, by how many of its outermost frames
}

// outerBits is the logarithm of the number of hashes kept. A clash forgets the older.
const outerBits = 18

// reset forgets all stacks.
func (o *outerFinder) reset() {
	clear(o.latest)
	o.stacks = nil
}

// find returns how many entries before the stack the one with most of its
// outermost frames is, and how many those are; then it adds the stack.
func (o *outerFinder) find(s Stack) (back, shared int) {
	if o.latest == nil {
		o.latest = make([]uint32, 1<<outerBits)
	}
	n := len(s.Frames)
	o.hashes = slices.Grow(o.hashes[:0], n)[:n]
	h := uint64(0)
	for i := range n {
		h = (h ^ uint64(s.Frames[n-1-i])) * 0x9e3779b97f4a7c15
		h ^= h >> 32
		o.hashes[i] = h
	}
	for i := n; i > 0 && back == 0; i-- {
		at := o.latest[o.hashes[i-1]>>(64-outerBits)]
		if at != 0 && sharesOuter(o.stacks[at-1].Frames, s.Frames, i) {
			back, shared = len(o.stacks)+1-int(at), i
		}
	}
	o.stacks = append(o.stacks, s)
	for _, h := range o.hashes {
		o.latest[h>>(64-outerBits)] = uint32(len(o.stacks))
	}
	return back, shared
}

// sharesOuter reports whether the n outermost frames, the last ones, are the same.
func sharesOuter(a, b []FrameID, n int) bool {
	return len(a) >= n && slices.Equal(a[len(a)-n:], b[len(b)-n:])
}
