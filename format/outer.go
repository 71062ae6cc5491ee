package format

import "slices"

// An outerFinder finds earlier stacks with the same outermost frames. Nearly all stacks
// of a program share their outermost frames with another one, so only the inner frames,
// about a third, need to be stored.
type outerFinder struct {
	stacks []Stack  // of the segment so far, from ID 1
	latest []uint32 // by hash of outermost frames: 1 + index in stacks of the last one with them
	hashes []uint64 // of the current stack, by number of outermost frames
}

// outerBits is the binary logarithm of the number of hashes kept. On a collision, the
// newer stack replaces the older one.
const outerBits = 18

// reset forgets all stacks.
func (o *outerFinder) reset() {
	clear(o.latest)
	o.stacks = nil
}

// find looks for the earlier stack that shares most outermost frames with s. It returns
// how many entries before s that stack is, and how many frames they share, then adds s.
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

// sharesOuter reports whether the n outermost frames, which come last, are equal.
func sharesOuter(a, b []FrameID, n int) bool {
	return len(a) >= n && slices.Equal(a[len(a)-n:], b[len(b)-n:])
}
