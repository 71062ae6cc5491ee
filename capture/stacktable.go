package capture

import (
	"trapline/bpf"
	"trapline/format"
)

// A stackEntry is a stack that a program sent and, once a hit refers to it, its ID.
type stackEntry struct {
	check   uint64 // second hash, to detect collisions
	first   uint32 // index of its first frame
	count   uint8  // frames
	sent    uint8  // frames sent, including those between hook and program
	kernel  bool
	once    bool // unwound in user space; only one hit refers to it
	cut     format.StackCut
	why     format.StackCut // why id has no more frames
	written uint8           // frames of id
	segment uint32          // segment of id
	id      format.StackID
}

// A stackTable contains stacks by hash. There are so many that the table contains no
// pointers, which the garbage collector would have to follow.
type stackTable struct {
	indices map[uint64]uint32 // into entries
	entries []stackEntry
	frames  [][]frameIndex // in pieces of framePiece; a stack lies in one piece
}

const (
	framePiece = 1 << 14
	// maxStacks ends a segment. It limits the memory of record, which keeps about 500
	// bytes per stack here and in the format's writer.
	maxStacks = 3 << 15
)

func newStackTable() *stackTable { return &stackTable{indices: make(map[uint64]uint32)} }

// full reports whether the segment should end.
func (t *stackTable) full() bool { return len(t.entries) >= maxStacks }

// find returns the stack with a hash, or nil. It is valid until the next add.
func (t *stackTable) find(hash uint64) *stackEntry {
	if t == nil {
		return nil
	}
	i, ok := t.indices[hash]
	if !ok {
		return nil
	}
	return &t.entries[i]
}

// add adds a stack, replacing one with the same hash.
func (t *stackTable) add(hash uint64, e stackEntry, frames []frameIndex) *stackEntry {
	n := len(t.frames)
	if n == 0 || len(t.frames[n-1])+len(frames) > framePiece {
		t.frames = append(t.frames, make([]frameIndex, 0, framePiece))
		n++
	}
	piece := &t.frames[n-1]
	e.first, e.count = uint32((n-1)*framePiece+len(*piece)), uint8(len(frames))
	*piece = append(*piece, frames...)
	t.indices[hash] = uint32(len(t.entries))
	t.entries = append(t.entries, e)
	return &t.entries[len(t.entries)-1]
}

// of returns the frames of a stack. The caller must not change them.
func (t *stackTable) of(e *stackEntry) []frameIndex {
	return t.frames[e.first/framePiece][e.first%framePiece:][:e.count]
}

// forget removes a stack that no other hit refers to.
func (t *stackTable) forget(hash uint64) {
	if e := t.find(hash); e != nil && e.once {
		delete(t.indices, hash)
	}
}

// upTo returns the innermost depth frames of a stack and why there are no more. A probe
// with another depth may have sent the stack, so a stack that its program cut is not
// necessarily cut for this hit.
func (e *stackEntry) upTo(frames []frameIndex, depth int) ([]frameIndex, format.StackCut) {
	switch {
	case len(frames) > depth:
		return frames[:depth], format.CutDepth
	case e.cut == format.CutDepth && e.sent < bpf.MaxFrames:
		return frames, format.CutNone
	}
	return frames, e.cut
}
