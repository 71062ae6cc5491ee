// Package addrmap maps addresses to the innermost of the ranges around them.
package addrmap

import (
	"cmp"
	"slices"
	"sort"
)

// A Span assigns the addresses from Low up to High to an owner. Spans may nest.
type Span struct {
	Low, High uint64
	Owner     int32
	Depth     int32 // of spans with equal bounds the deepest is innermost
}

// A Map maps addresses to the owner of the innermost span.
type Map []segment // by start

// A segment assigns the code up to the next segment to an owner, or to none (-1).
type segment struct {
	start uint64
	owner int32
}

// New returns the map of spans, which it sorts in place.
func New(spans []Span) Map {
	slices.SortFunc(spans, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Low, b.Low), cmp.Compare(b.High, a.High), cmp.Compare(a.Depth, b.Depth))
	})
	var segs []segment
	put := func(start uint64, owner int32) {
		if n := len(segs); n > 0 {
			if segs[n-1].start == start {
				segs[n-1].owner = owner
				return
			}
			if segs[n-1].owner == owner {
				return
			}
		}
		segs = append(segs, segment{start, owner})
	}
	var open []Span // enclosing spans, innermost last
	closeUpTo := func(addr uint64) {
		for len(open) > 0 && open[len(open)-1].High <= addr {
			end := open[len(open)-1].High
			open = open[:len(open)-1]
			// Spans that overlap without nesting may end below the top.
			for len(open) > 0 && open[len(open)-1].High <= end {
				open = open[:len(open)-1]
			}
			if len(open) > 0 {
				put(end, open[len(open)-1].Owner)
			} else {
				put(end, -1)
			}
		}
	}
	for _, s := range spans {
		if s.High <= s.Low {
			continue
		}
		closeUpTo(s.Low)
		open = append(open, s)
		put(s.Low, s.Owner)
	}
	closeUpTo(^uint64(0))
	return slices.Clip(segs)
}

// Owner returns the owner of an address, or -1.
func (m Map) Owner(addr uint64) int32 {
	i := sort.Search(len(m), func(i int) bool { return m[i].start > addr })
	if i == 0 {
		return -1
	}
	return m[i-1].owner
}
