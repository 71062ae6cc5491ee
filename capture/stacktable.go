package capture

import (
	"trapline/bpf"
	"trapline/format"
)

// A stackEntry is a stack as sent by a program, and its ID once a hit refers to it.
type stackEntry struct {
	check   uint64 // another hash of the addresses, to find two stacks with one hash
	first   uint32 // of its frames in the table
	count   uint8  // frames
	sent    uint8  // frames, those of the way to the program included
	kernel  bool
	once    bool // unwound here: no other hit refers to it
	cut     format.StackCut
	why     format.StackCut // … it has no more frames than written
	written uint8           // frames that id has
	segment uint32          // that id belongs to
	id      format.StackID
}

// A stackTable holds stacks by their hashes. There are many: none is an object of
// its own, and nothing in the table is a pointer, so that it costs the garbage
// collector nothing.
type stackTable struct {
	indices map[uint64]uint32 // of entries
	entries []stackEntry
	frames  [][]frameIndex // in pieces of framePiece; a stack's are all in one
}

const (
	framePiece = 1 << 14
	// maxStacks is when a table is full, and its segment: what is held of a stack here and in the
	// format's writer, some 500 bytes, bounds what record takes.
	maxStacks = 3 << 15
)

func newStackTable() *stackTable { return &stackTable{indices: make(map[uint64]uint32)} }

// full reports whether it is time for a new table.
func (t *stackTable) full() bool { return len(t.entries) >= maxStacks }

// find returns the stack with the hash, nil if there is none. It may be used up to the next add.
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

// add takes in a stack, in the place of one with its hash.
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

// of returns the frames of a stack of the table. They must not be changed.
func (t *stackTable) of(e *stackEntry) []frameIndex {
	return t.frames[e.first/framePiece][e.first%framePiece:][:e.count]
}

// forget drops a stack that no other hit refers to.
func (t *stackTable) forget(hash uint64) {
	if e := t.find(hash); e != nil && e.once {
		delete(t.indices, hash)
	}
}

// upTo returns those of a stack's frames that a hit may have whose stacks are so deep, and why
// there are no more. The program of a probe with another depth may have sent the same stack: that
// it was cut there means nothing to this hit, whose own program would have gone on.
func (e *stackEntry) upTo(frames []frameIndex, depth int) ([]frameIndex, format.StackCut) {
	switch {
	case len(frames) > depth:
		return frames[:depth], format.CutDepth
	case e.cut == format.CutDepth && e.sent < bpf.MaxFrames:
		return frames, format.CutNone
	}
	return frames, e.cut
}
