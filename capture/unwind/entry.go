package unwind

import (
	"strings"

	"trapline/internal/cursor"
)

// A frameTable reads the entries of .eh_frame or .debug_frame (DWARF 5, section
// 6.4.1; Linux Standard Base Core 5.0, section 10.6.1).
type frameTable struct {
	*section
	eh         bool   // .eh_frame, not .debug_frame
	terminated bool   // it ends at a terminator; its size is unknown
	text, data uint64 // bases of pointers
}

// A cie is a common information entry, which frame descriptions share.
type cie struct {
	codeAlign uint64
	dataAlign int64
	ra        uint64 // column of the return address
	encoding  byte   // of addresses
	sized     bool   // frame descriptions have augmentation data
	signal    bool   // augmentation S
	program   []byte
	bases     bases
}

// An fde is a frame description entry: the unwind information of one function.
type fde struct {
	begin, size uint64
	cie         cie
	program     []byte
	bases       bases
}

// An entry is the common head of CIEs and FDEs.
type entry struct {
	isCIE bool
	cie   uint64 // offset of an FDE's CIE
	body  cursor.Cursor
	end   uint64
}

// Maximum sizes of entries in bytes. FDEs of the largest functions have tens of
// kilobytes. CIEs, which are read again for each function, have less than a hundred bytes.
const (
	maxFDE = 1 << 20
	maxCIE = 4 << 10
)

// entry reads the head of the entry at an offset of the table. Longer entries than limit
// are refused. An empty entry, such as a terminator, has no body.
func (t *frameTable) entry(at, limit uint64) (entry, bool) {
	head := t.bytes(at, 4)
	if head == nil {
		return entry{}, false
	}
	c := cursor.Little(head)
	length, wide := uint64(c.U32()), false
	at += 4
	if length == 0xffffffff { // 64-bit DWARF
		if head = t.bytes(at, 8); head == nil {
			return entry{}, false
		}
		c = cursor.Little(head)
		length, wide = c.U64(), true
		at += 8
	}
	if length == 0 {
		return entry{end: at}, true
	}
	if length > limit {
		return entry{}, false
	}
	body := t.bytes(at, length)
	if body == nil {
		return entry{}, false
	}
	e := entry{body: cursor.Little(body), end: at + length}
	switch {
	case t.eh: // in both widths a 4-byte distance back from this field
		back := uint64(e.body.U32())
		e.isCIE, e.cie = back == 0, at-back
	case wide:
		e.cie = e.body.U64()
		e.isCIE = e.cie == 1<<64-1
	default:
		e.cie = uint64(e.body.U32())
		e.isCIE = e.cie == 1<<32-1
	}
	return e, e.body.OK()
}

// cie reads the common information entry at an offset of the table.
func (t *frameTable) cie(at uint64) (cie, bool) {
	e, ok := t.entry(at, maxCIE)
	if !ok || !e.isCIE {
		return cie{}, false
	}
	c := &e.body
	from := bases{end: t.addr + e.end, text: t.text, data: t.data}
	i := cie{encoding: formatAddress, bases: from}
	version := c.U8()
	augmentation := string(c.CString())
	switch version {
	case 1, 3:
	case 4, 5:
		if addressSize, selectorSize := c.U8(), c.U8(); addressSize != 8 || selectorSize != 0 {
			return cie{}, false
		}
	default:
		return cie{}, false
	}
	if strings.HasPrefix(augmentation, "eh") { // GCC before 3.0: skip a pointer
		c.U64()
		augmentation = augmentation[2:]
	}
	i.codeAlign = c.Uleb()
	i.dataAlign = c.Sleb()
	if version == 1 {
		i.ra = uint64(c.U8())
	} else {
		i.ra = c.Uleb()
	}
	if strings.HasPrefix(augmentation, "z") {
		i.sized = true
		augmentation = augmentation[1:]
		data := cursor.Little(c.Block())
		from.end -= uint64(c.Len())
		for _, letter := range augmentation {
			switch letter {
			case 'R':
				i.encoding = data.U8()
			case 'L':
				data.U8()
			case 'P': // skipped, so it may be indirect
				readPointer(&data, data.U8()&^pointerIndirect, &from)
			case 'S':
				i.signal = true
			case 'B', 'G': // of arm64, without data
			default:
				return cie{}, false
			}
		}
		if !data.OK() {
			return cie{}, false
		}
	} else if augmentation != "" {
		return cie{}, false
	}
	i.program = c.Rest()
	return i, c.OK() && i.ra < registers
}

// fde reads the frame description entry at an offset of the table.
func (t *frameTable) fde(at uint64) (fde, bool) {
	e, ok := t.entry(at, maxFDE)
	if !ok || e.isCIE || e.body.Len() == 0 {
		return fde{}, false
	}
	i, ok := t.cie(e.cie)
	if !ok {
		return fde{}, false
	}
	return t.describe(&e, &i)
}

// describe reads a frame description entry after its head.
func (t *frameTable) describe(e *entry, i *cie) (fde, bool) {
	c := &e.body
	f := fde{cie: *i, bases: bases{end: t.addr + e.end, text: t.text, data: t.data}}
	f.begin = readPointer(c, i.encoding, &f.bases)
	f.size = readUnbased(c, i.encoding)
	f.bases.function = f.begin
	if i.sized {
		c.Block() // pointer to the exception table
	}
	f.program = c.Rest()
	return f, c.OK()
}

func (f *fde) covers(vaddr uint64) bool { return vaddr-f.begin < f.size }
