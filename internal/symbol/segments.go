package symbol

import (
	"cmp"
	"slices"
	"sort"
)

// A span assigns the code from low up to high to an owner. Spans may nest.
type span struct {
	low, high uint64
	owner     int32
	depth     int32 // of spans with equal bounds the deepest is innermost
}

// A segment assigns the code up to the next segment to an owner, or to none (-1).
type segment struct {
	start uint64
	owner int32
}

// flatten converts nested spans to segments with the owner of the innermost span. It sorts
// spans in place.
func flatten(spans []span) []segment {
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(b.high, a.high), cmp.Compare(a.depth, b.depth))
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
	var open []span // enclosing spans, innermost last
	closeUpTo := func(addr uint64) {
		for len(open) > 0 && open[len(open)-1].high <= addr {
			end := open[len(open)-1].high
			open = open[:len(open)-1]
			// Spans that overlap without nesting may end below the top.
			for len(open) > 0 && open[len(open)-1].high <= end {
				open = open[:len(open)-1]
			}
			if len(open) > 0 {
				put(end, open[len(open)-1].owner)
			} else {
				put(end, -1)
			}
		}
	}
	for _, s := range spans {
		if s.high <= s.low {
			continue
		}
		closeUpTo(s.low)
		open = append(open, s)
		put(s.low, s.owner)
	}
	closeUpTo(^uint64(0))
	return slices.Clip(segs)
}

// owner returns the owner of an address, or -1.
func owner(segs []segment, addr uint64) int32 {
	i := sort.Search(len(segs), func(i int) bool { return segs[i].start > addr })
	if i == 0 {
		return -1
	}
	return segs[i-1].owner
}
