package format

import "slices"

// An interner assigns IDs to the values of one dictionary, in order of first use.
// rows[0] is unused. Rows never change once added, so the encoding goroutine may read
// those it was given.
type interner[T comparable] struct {
	ids     map[T]uint32
	rows    []T
	written int // rows[:written] have been queued
}

func newInterner[T comparable]() interner[T] {
	return interner[T]{ids: make(map[T]uint32), rows: make([]T, 1), written: 1}
}

// id returns the value's ID and whether it is new.
func (n *interner[T]) id(v T) (uint32, bool) {
	if id, ok := n.ids[v]; ok {
		return id, false
	}
	id := uint32(len(n.rows))
	n.ids[v] = id
	n.rows = append(n.rows, v)
	return id, true
}

// pending returns up to max rows that have not been queued yet, and the ID of the first.
func (n *interner[T]) pending(max int) (first uint32, rows []T) {
	first = uint32(n.written)
	end := min(len(n.rows), n.written+max)
	rows = n.rows[n.written:end:end]
	n.written = end
	return first, rows
}

// A stackInterner interns stacks. It finds them by a hash of their frames and then
// compares them, so two stacks never share an ID.
type stackInterner struct {
	byHash  map[uint64]StackID
	next    []StackID // with the same hash, by ID
	rows    []Stack
	written int
	arena   []FrameID // for the frames of new rows; a full one stays with its rows
}

func newStackInterner() stackInterner {
	return stackInterner{byHash: make(map[uint64]StackID), next: make([]StackID, 1), rows: make([]Stack, 1), written: 1}
}

func (n *stackInterner) id(s Stack) (StackID, bool) {
	hash := hashStack(s)
	head := n.byHash[hash]
	for id := head; id != 0; id = n.next[id] {
		if equalStack(&n.rows[id], &s) {
			return id, false
		}
	}
	id := StackID(len(n.rows))
	if cap(n.arena)-len(n.arena) < len(s.Frames) {
		n.arena = make([]FrameID, 0, max(16<<10, len(s.Frames)))
	}
	start := len(n.arena)
	n.arena = append(n.arena, s.Frames...)
	s.Frames = n.arena[start:len(n.arena):len(n.arena)]
	n.rows = append(n.rows, s)
	n.next = append(n.next, head)
	n.byHash[hash] = id
	return id, true
}

func (n *stackInterner) pending(max int) (first uint32, rows []Stack) {
	first = uint32(n.written)
	frames := 0
	end := n.written
	for end < len(n.rows) && end-n.written < max && frames+len(n.rows[end].Frames) <= MaxValues {
		frames += len(n.rows[end].Frames)
		end++
	}
	rows = n.rows[n.written:end:end]
	n.written = end
	return first, rows
}

// hashStack mixes the frames with the multiplier of MurmurHash64A.
func hashStack(s Stack) uint64 {
	const m = 0xc6a4a7935bd1e995
	h := uint64(len(s.Frames))<<9 | uint64(s.Cut)<<1
	if s.Kernel {
		h |= 1
	}
	for _, f := range s.Frames {
		h = (h ^ uint64(f)) * m
		h ^= h >> 47
	}
	return h
}

func equalStack(a, b *Stack) bool {
	return a.Kernel == b.Kernel && a.Cut == b.Cut && slices.Equal(a.Frames, b.Frames)
}

// A shapeInterner interns shapes. There are few, so it compares with each.
type shapeInterner struct {
	rows    []Shape // rows[0] is unused
	written int
}

func newShapeInterner() shapeInterner { return shapeInterner{rows: make([]Shape, 1), written: 1} }

func (n *shapeInterner) id(s Shape) (ShapeID, bool) {
	for i, row := range n.rows[1:] {
		if slices.Equal(row.Fields, s.Fields) {
			return ShapeID(i + 1), false
		}
	}
	n.rows = append(n.rows, Shape{slices.Clone(s.Fields)})
	return ShapeID(len(n.rows) - 1), true
}

func (n *shapeInterner) pending(max int) (first uint32, rows []Shape) {
	first = uint32(n.written)
	end := min(len(n.rows), n.written+max)
	rows = n.rows[n.written:end:end]
	n.written = end
	return first, rows
}
