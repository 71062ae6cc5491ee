package debuginfo

import (
	"debug/dwarf"

	"trapline/internal/cursor"
)

// Unit kinds: DWARF 5, section 7.5.1.
const (
	unitType      = 0x02
	unitSkeleton  = 0x04
	unitSplit     = 0x05
	unitSplitType = 0x06
)

// maxUnits limits the units of a section. The largest programs have 100,000.
const maxUnits = 1 << 20

// A unit is a compile unit or partial unit.
type unit struct {
	encoding
	in        *sections
	off, end  uint64 // in .debug_info, header included
	root      uint64 // offset of the root entry
	abbrevOff uint64

	// From the root entry.
	low                         uint64 // base address of range lists
	strBase, addrBase, rngsBase uint64
	lineOff                     uint64
	hasLines                    bool
	dir                         value // compilation directory
}

// readHeader reads the header of a unit: DWARF 5, section 7.5.1. It sets abbrevOff to ^0 for
// units that cannot be used.
func (u *unit) readHeader(c *cursor.Cursor) {
	start := c.Pos()
	length := c.Uint(4)
	u.offSize = 4
	if length == 0xffffffff {
		length, u.offSize = c.Uint(8), 8
	}
	body := c.Pos() - start
	u.version = uint16(c.Uint(2))
	room := u.in.info.size - u.off - min(uint64(body), u.in.info.size-u.off)
	if length > room {
		length = room
	}
	u.end = u.off + uint64(body) + length
	kind := uint8(1)
	switch {
	case u.version >= 2 && u.version <= 4:
		u.abbrevOff = c.Uint(int(u.offSize))
		u.addrSize = c.U8()
	case u.version == 5:
		kind = c.U8()
		u.addrSize = c.U8()
		u.abbrevOff = c.Uint(int(u.offSize))
		switch kind {
		case unitSkeleton, unitSplit:
			c.Skip(8)
		}
	}
	u.root = u.off + uint64(c.Pos()-start)
	u.low, u.strBase, u.addrBase, u.rngsBase = 0, 0, 0, 0
	if u.version < 2 || u.version > 5 || kind == unitType || kind == unitSplitType ||
		(u.addrSize != 4 && u.addrSize != 8) || u.root > u.end {
		u.abbrevOff = ^uint64(0)
	}
}

// codeAttrs are the attributes with the code ranges of an entry.
type codeAttrs struct {
	low, high, ranges value
}

// readRoot reads the root entry.
func (u *unit) readRoot(info, abbrevs *scanner) (attrs codeAttrs, ok bool) {
	ok = info.read(u.root, func(c *cursor.Cursor) {
		attrs = codeAttrs{}
		code := c.Uleb()
		if code == 0 || !c.OK() {
			return
		}
		a := findAbbrev(abbrevs, u.abbrevOff, code, u.encoding)
		if a == nil {
			return
		}
		for _, spec := range a.attrs {
			v := u.read(c, spec)
			switch spec.attr {
			case dwarf.AttrLowpc:
				attrs.low = v
			case dwarf.AttrHighpc:
				attrs.high = v
			case dwarf.AttrRanges:
				attrs.ranges = v
			case dwarf.AttrStmtList:
				u.lineOff, u.hasLines = v.num, true
			case dwarf.AttrCompDir:
				v.text = append([]byte(nil), v.text...)
				u.dir = v
			case dwarf.AttrStrOffsetsBase:
				u.strBase = v.num
			case dwarf.AttrAddrBase:
				u.addrBase = v.num
			case dwarf.AttrRnglistsBase:
				u.rngsBase = v.num
			}
		}
	})
	if ok {
		u.low, _ = u.address(attrs.low)
	}
	return attrs, ok
}

// altRef marks references into the file shared by several debug files.
const altRef = 1 << 63

// reference returns the section offset that an attribute refers to, or 0.
func (u *unit) reference(v value) uint64 {
	switch v.form {
	case formRef1, formRef2, formRef4, formRef8, formRefUdata:
		return u.off + v.num
	case formRefAddr:
		return v.num
	case formGNURefAlt, formRefSup4, formRefSup8:
		return v.num | altRef
	}
	return 0
}

// text returns the value of a string attribute.
func (u *unit) text(v value) string {
	in := u.in
	switch v.form {
	case formString:
		return string(v.text)
	case formStrp:
		return in.str.cstring(v.num)
	case formLineStrp:
		return in.lineStr.cstring(v.num)
	case formStrx, formStrx1, formStrx2, formStrx3, formStrx4:
		if v.num > in.strOffsets.size {
			return ""
		}
		c := cursor.New(in.strOffsets.window(u.strBase+v.num*uint64(u.offSize), uint64(u.offSize)), in.order)
		if off := c.Uint(int(u.offSize)); c.OK() {
			return in.str.cstring(off)
		}
	case formGNUStrpAlt, formStrpSup:
		if in.altStr != nil {
			return in.altStr.cstring(v.num)
		}
	}
	return ""
}

// address returns the value of an address attribute.
func (u *unit) address(v value) (uint64, bool) {
	switch v.form {
	case formAddr:
		return v.num, true
	case formAddrx, formAddrx1, formAddrx2, formAddrx3, formAddrx4:
		return u.indexedAddress(v.num)
	}
	return 0, false
}

// indexedAddress reads an entry of the unit's table in .debug_addr.
func (u *unit) indexedAddress(index uint64) (uint64, bool) {
	if index > u.in.addr.size {
		return 0, false
	}
	size := uint64(u.addrSize)
	c := cursor.New(u.in.addr.window(u.addrBase+index*size, size), u.in.order)
	addr := c.Uint(int(size))
	return addr, c.OK()
}
