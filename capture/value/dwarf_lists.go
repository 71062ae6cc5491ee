package value

import (
	"debug/dwarf"
	"encoding/binary"

	"trapline/internal/cursor"
	"trapline/internal/symbol"
)

// A dwarfUnit holds what reading location lists needs of a compilation unit.
type dwarfUnit struct {
	data     *symbol.DebugData
	version5 bool
	low      uint64 // DW_AT_low_pc, the base of addresses
	addrBase uint64 // DW_AT_addr_base
	listBase uint64 // DW_AT_loclists_base
	language dwarfLanguage
}

func newDwarfUnit(d *symbol.DebugData, cu *dwarf.Entry, version5 bool) *dwarfUnit {
	u := &dwarfUnit{data: d, version5: version5}
	u.low, _ = cu.Val(dwarf.AttrLowpc).(uint64)
	if n, ok := cu.Val(dwarf.AttrAddrBase).(int64); ok {
		u.addrBase = uint64(n)
	}
	if n, ok := cu.Val(dwarf.AttrLoclistsBase).(int64); ok {
		u.listBase = uint64(n)
	}
	if n, ok := cu.Val(dwarf.AttrLanguage).(int64); ok {
		u.language = dwarfLanguage(n)
	}
	return u
}

// address returns an entry of .debug_addr.
func (u *dwarfUnit) address(index uint64) (uint64, bool) {
	b := u.data.Addr
	if index > uint64(len(b))/8 || u.addrBase > uint64(len(b)) || uint64(len(b))-u.addrBase < 8*(index+1) {
		return 0, false
	}
	return binary.LittleEndian.Uint64(b[u.addrBase+8*index:]), true
}

// location returns the location expression of an entry at an address, which is empty if
// there is none. whole reports whether it is the same in the whole function.
func (u *dwarfUnit) location(e *dwarf.Entry, pc uint64) (expression []byte, whole bool) {
	f := e.AttrField(dwarf.AttrLocation)
	if f == nil {
		return nil, false
	}
	switch v := f.Val.(type) {
	case []byte:
		return v, true
	case int64:
		switch {
		case !u.version5:
			return u.listBefore5(uint64(v), pc), false
		case f.Class == dwarf.ClassLocList: // DW_FORM_loclistx
			return u.list5(u.listAt(uint64(v)), pc), false
		}
		return u.list5(uint64(v), pc), false
	case uint64:
		if u.version5 {
			return u.list5(u.listAt(v), pc), false
		}
	}
	return nil, false
}

// listAt returns the offset of a list, given its index in the table of the unit.
func (u *dwarfUnit) listAt(index uint64) uint64 {
	b := u.data.LocLists
	if index > uint64(len(b))/4 || u.listBase > uint64(len(b)) || uint64(len(b))-u.listBase < 4*(index+1) {
		return uint64(len(b))
	}
	return u.listBase + uint64(binary.LittleEndian.Uint32(b[u.listBase+4*index:]))
}

// listBefore5 searches a list of .debug_loc: DWARF 4, section 2.6.2.
func (u *dwarfUnit) listBefore5(offset, pc uint64) []byte {
	if offset >= uint64(len(u.data.Loc)) {
		return nil
	}
	x := cursor.Little(u.data.Loc[offset:])
	base := u.low
	for x.OK() {
		from, to := x.U64(), x.U64()
		switch {
		case from == 0 && to == 0:
			return nil
		case from == ^uint64(0):
			base = to
			continue
		}
		expression := x.Bytes(uint64(x.U16()))
		if x.OK() && pc >= base+from && pc < base+to {
			return expression
		}
	}
	return nil
}

// Entries of location lists: DWARF 5, section 7.7.3.
const (
	lleEnd          = 0
	lleBaseAddressx = 1
	lleStartxEndx   = 2
	lleStartxLength = 3
	lleOffsetPair   = 4
	lleDefault      = 5
	lleBaseAddress  = 6
	lleStartEnd     = 7
	lleStartLength  = 8
	lleGNUViewPair  = 9
)

// list5 searches a list of .debug_loclists.
func (u *dwarfUnit) list5(offset, pc uint64) []byte {
	if offset >= uint64(len(u.data.LocLists)) {
		return nil
	}
	x := cursor.Little(u.data.LocLists[offset:])
	base := u.low
	var otherwise []byte
	for x.OK() {
		var from, to uint64
		ok := true
		switch x.U8() {
		case lleEnd:
			return otherwise
		case lleBaseAddressx:
			base, _ = u.address(x.Uleb())
			continue
		case lleBaseAddress:
			base = x.U64()
			continue
		case lleGNUViewPair:
			x.Uleb()
			x.Uleb()
			continue
		case lleStartxEndx:
			var ok2 bool
			from, ok = u.address(x.Uleb())
			to, ok2 = u.address(x.Uleb())
			ok = ok && ok2
		case lleStartxLength:
			from, ok = u.address(x.Uleb())
			to = from + x.Uleb()
		case lleOffsetPair:
			from = base + x.Uleb()
			to = base + x.Uleb()
		case lleStartEnd:
			from, to = x.U64(), x.U64()
		case lleStartLength:
			from = x.U64()
			to = from + x.Uleb()
		case lleDefault:
			otherwise = readExpression(&x)
			continue
		default:
			return nil
		}
		expression := readExpression(&x)
		if ok && x.OK() && pc >= from && pc < to {
			return expression
		}
	}
	return nil
}

// readExpression reads an expression that is preceded by its length.
func readExpression(x *cursor.Cursor) []byte {
	n := x.Uleb()
	if n > maxExpression {
		x.Fail()
		return nil
	}
	return x.Bytes(n)
}
