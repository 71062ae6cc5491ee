package debuginfo

import "trapline/internal/cursor"

// Kinds of range list entries: DWARF 5, section 7.25.
const (
	rleEnd = iota
	rleBaseAddressx
	rleStartxEndx
	rleStartxLength
	rleOffsetPair
	rleBaseAddress
	rleStartEnd
	rleStartLength
)

// A rangeReader reads the code ranges of entries. It is not safe for concurrent use.
type rangeReader struct {
	in       *sections
	ranges   scanner
	rnglists scanner
	left     uint64 // number of ranges still allowed: hostile entries can share long lists
	found    []addrRange
}

type addrRange struct{ low, high uint64 }

func newRangeReader(in *sections, limit uint64) *rangeReader {
	return &rangeReader{
		in: in, left: limit,
		ranges:   scanner{s: in.ranges, step: 4 << 10, order: in.order},
		rnglists: scanner{s: in.rnglists, step: 4 << 10, order: in.order},
	}
}

// each calls visit for the code ranges of an entry. It skips ranges outside of executable
// segments, which linkers leave for dropped functions.
func (r *rangeReader) each(u *unit, attrs codeAttrs, visit func(low, high uint64)) {
	r.found = r.found[:0]
	switch {
	case attrs.ranges.form != 0 && u.version < 5:
		r.oldList(u, attrs.ranges.num)
	case attrs.ranges.form != 0:
		r.list(u, attrs.ranges)
	default:
		low, ok := u.address(attrs.low)
		if !ok {
			return
		}
		high, ok := u.address(attrs.high)
		if !ok && attrs.high.form != 0 {
			high = low + attrs.high.num
		}
		r.found = append(r.found, addrRange{low, high})
	}
	for _, f := range r.found {
		// 0 and 1 also mark dropped code, and may be in a segment.
		if f.low > 1 && f.high > f.low && r.left > 0 && r.in.executable(f.low) {
			r.left--
			visit(f.low, f.high)
		}
	}
}

// oldList reads a list of .debug_ranges: DWARF 4, section 2.17.3.
func (r *rangeReader) oldList(u *unit, off uint64) {
	size := int(u.addrSize)
	selectBase := ^uint64(0) >> (64 - 8*size)
	r.ranges.read(off, func(c *cursor.Cursor) {
		r.found = r.found[:0]
		base := u.low
		for {
			low, high := c.Uint(size), c.Uint(size)
			switch {
			case !c.OK() || low == 0 && high == 0:
				return
			case low == selectBase:
				base = high
			default:
				r.found = append(r.found, addrRange{base + low, base + high})
			}
		}
	})
}

// list reads a list of .debug_rnglists: DWARF 5, section 2.17.3.
func (r *rangeReader) list(u *unit, v value) {
	off := v.num
	if v.form == formRnglistx {
		if off > r.in.rnglists.size {
			return
		}
		entry := u.rngsBase + off*uint64(u.offSize)
		if !r.rnglists.read(entry, func(c *cursor.Cursor) { off = u.rngsBase + c.Uint(int(u.offSize)) }) {
			return
		}
	}
	size := int(u.addrSize)
	r.rnglists.read(off, func(c *cursor.Cursor) {
		r.found = r.found[:0]
		base := u.low
		indexed := func() uint64 {
			addr, _ := u.indexedAddress(c.Uleb())
			return addr
		}
		for c.OK() {
			var low, high uint64
			switch c.U8() {
			case rleEnd:
				return
			case rleBaseAddressx:
				base = indexed()
				continue
			case rleBaseAddress:
				base = c.Uint(size)
				continue
			case rleStartxEndx:
				low, high = indexed(), indexed()
			case rleStartxLength:
				low = indexed()
				high = low + c.Uleb()
			case rleOffsetPair:
				low, high = base+c.Uleb(), base+c.Uleb()
			case rleStartEnd:
				low, high = c.Uint(size), c.Uint(size)
			case rleStartLength:
				low = c.Uint(size)
				high = low + c.Uleb()
			default:
				c.Fail()
			}
			r.found = append(r.found, addrRange{low, high})
		}
	})
}
