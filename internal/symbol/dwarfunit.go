package symbol

import (
	"debug/dwarf"
	"sync"
	"unsafe"

	"trapline/internal/addrmap"
	"trapline/internal/cursor"
	"trapline/internal/meter"
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
	d         *dwarfData
	off, end  uint64 // in .debug_info, header included
	root      uint64 // offset of the root entry
	abbrevOff uint64

	// From the root entry.
	low                         uint64 // base address of range lists
	strBase, addrBase, rngsBase uint64
	lineOff                     uint64
	hasLines                    bool
	dir                         value // compilation directory

	scopes func() *scopeTable
	lines  func() *lineTable
}

// scanUnits reads the headers and root entries of all units and, if code is set, the code
// ranges that they cover.
func (d *dwarfData) scanUnits(code bool) {
	info := scanner{s: d.info, step: 4 << 10, order: d.order}
	abbrevs := scanner{s: d.abbrev, step: 1 << 10, order: d.order}
	ranges := d.newRangeReader(d.ranges.size/4 + d.rnglists.size/2 + maxUnits)
	var spans []addrmap.Span
	for off := uint64(0); off < d.info.size && len(d.units) < maxUnits; {
		u := &unit{d: d, off: off}
		if !info.read(off, u.readHeader) || u.end <= off {
			break
		}
		off = u.end
		if u.abbrevOff == ^uint64(0) {
			continue // a version or kind without code
		}
		u.scopes = sync.OnceValue(u.readScopes)
		u.lines = sync.OnceValue(u.readLines)
		d.units = append(d.units, u)
		attrs, ok := u.readRoot(&info, &abbrevs)
		if !ok || !code {
			continue
		}
		ranges.each(u, attrs, func(low, high uint64) {
			spans = append(spans, addrmap.Span{Low: low, High: high, Owner: int32(len(d.units) - 1)})
		})
	}
	d.segments = addrmap.New(spans)
	meter.AddSlice(d.memory, d.segments)
	d.memory.Add(len(d.units) * int(unsafe.Sizeof(unit{})))
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
	room := u.d.info.size - u.off - min(uint64(body), u.d.info.size-u.off)
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
