package unwind

import "trapline/internal/cursor"

// ehFrame finds entries of .eh_frame by the sorted table of .eh_frame_hdr
// (Linux Standard Base Core 5.0, section 10.6.2).
type ehFrame struct {
	frameTable
	header   *section
	entries  uint64 // offset of the sorted table in header
	count    uint64
	encoding byte
	size     uint64 // of a pointer in bytes; each entry is two pointers
}

// headerVersion is the only version of .eh_frame_hdr.
const headerVersion = 1

// maxHeader is the maximum size of .eh_frame_hdr before its table.
const maxHeader = 4 + 2*10

// readHeader reads .eh_frame_hdr. It returns the address of .eh_frame, and the source
// without its frame table, or nil if the header has no sorted table.
func readHeader(header *section) (frames uint64, s *ehFrame, ok bool) {
	b := header.bytes(0, min(maxHeader, header.size))
	c := cursor.Little(b)
	from := bases{end: header.addr + uint64(len(b)), data: header.addr}
	version, framesEncoding, countEncoding, encoding := c.U8(), c.U8(), c.U8(), c.U8()
	if version != headerVersion || framesEncoding == pointerOmitted {
		return 0, nil, false
	}
	frames = readPointer(&c, framesEncoding, &from)
	if !c.OK() {
		return 0, nil, false
	}
	if countEncoding == pointerOmitted || encoding == pointerOmitted || pointerSize(encoding) == 0 {
		return frames, nil, true
	}
	count := readPointer(&c, countEncoding, &from)
	if !c.OK() || count == 0 {
		return frames, nil, true
	}
	s = &ehFrame{header: header, entries: uint64(c.Pos()), encoding: encoding, size: pointerSize(encoding)}
	s.count = min(count, (header.size-s.entries)/(2*s.size))
	return frames, s, true
}

// pointer returns the n-th pointer of the table. Even ones are code addresses; each is
// followed by the address of its frame description.
func (s *ehFrame) pointer(n uint64) (uint64, bool) {
	at := s.entries + n*s.size
	c := cursor.Little(s.header.bytes(at, s.size))
	v := readPointer(&c, s.encoding, &bases{end: s.header.addr + at + s.size, data: s.header.addr})
	return v, c.OK()
}

func (s *ehFrame) row(vaddr uint64) (row, bool) {
	low, high := uint64(0), s.count // the wanted entry is below high
	for low < high {
		middle := low + (high-low)/2
		begin, ok := s.pointer(2 * middle)
		if !ok {
			return row{}, false
		}
		if begin <= vaddr {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return row{}, false
	}
	at, ok := s.pointer(2*(low-1) + 1)
	if !ok {
		return row{}, false
	}
	f, ok := s.fde(at - s.addr)
	if !ok || !f.covers(vaddr) {
		return row{}, false
	}
	return f.row(vaddr)
}
