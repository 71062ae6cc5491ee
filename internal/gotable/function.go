package gotable

import "trapline/internal/cursor"

// Flags of functions (internal/abi/symtab.go), since Go 1.17.
const (
	FlagTopFrame = 1 << iota // outermost frame of its stack
	FlagSPWrite              // writes the stack pointer in ways that no table describes
	FlagAsm                  // written in assembly
)

// A Function is one function's record (runtime._func).
type Function struct {
	Entry            uint64
	NameOff          uint32
	FileOff, LineOff uint32 // tables by pc: file index in the unit, line
	StackOff         uint32 // table by pc: depth of the stack below the return address, in bytes
	Unit             uint32 // first file of the compile unit
	Flags            uint8

	order             interface{ Uint32([]byte) uint32 }
	tables            []byte // offsets of further tables and of the function's data
	pcdatas, funcdats int
}

// Function returns the record of function i.
func (t *Table) Function(i int) (Function, bool) {
	var f Function
	off := t.field(2*i + 1)
	if off >= uint64(len(t.functions)) {
		return f, false
	}
	b := t.functions[off:]
	f.Entry, f.order = t.Entry(i), t.order
	pos := 4 // of the name
	if t.version == version116 {
		pos = t.ptrSize
	}
	size := pos + 9*4
	if t.version == version120 {
		size += 4
	}
	if len(b) < size {
		return f, false
	}
	u32 := func(i int) uint32 { return t.order.Uint32(b[pos+4*i:]) }
	f.NameOff, f.StackOff, f.FileOff, f.LineOff, f.Unit = u32(0), u32(3), u32(4), u32(5), u32(7)
	pcdatas, funcdats := u32(6), b[size-1]
	f.Flags = b[size-3]
	f.tables = b[size:]
	if uint64(pcdatas)+uint64(funcdats) > uint64(len(f.tables)/4) {
		return f, false
	}
	f.pcdatas, f.funcdats = int(pcdatas), int(funcdats)
	return f, true
}

// PCData returns the offset of one of the function's tables by pc, or 0 if it has none.
func (f *Function) PCData(i int) uint32 {
	if i >= f.pcdatas {
		return 0
	}
	return f.order.Uint32(f.tables[4*i:])
}

// FuncData returns the offset of data of the function from [Table.FuncData], or ^0 if it has none.
func (f *Function) FuncData(i int) uint32 {
	if i >= f.funcdats {
		return ^uint32(0)
	}
	return f.order.Uint32(f.tables[4*(f.pcdatas+i):])
}

// Values calls yield for each value of a table by pc, with the address where it ends, until
// yield returns false. entry is the start of the function. Tables are pairs of varints,
// value and pc deltas, as in runtime.pcvalue.
func (t *Table) Values(off uint32, entry uint64, yield func(end uint64, value int32) bool) {
	if off == 0 || uint64(off) >= uint64(len(t.pcs)) {
		return
	}
	c := cursor.Little(t.pcs[off:])
	value, pc := int32(-1), entry
	for first := true; ; first = false {
		delta := uint32(c.Uleb())
		if !c.OK() || delta == 0 && !first {
			return
		}
		step := uint32(c.Uleb())
		if !c.OK() {
			return
		}
		value += int32(-(delta & 1) ^ delta>>1)
		pc += uint64(step) * t.quantum
		if !yield(pc, value) {
			return
		}
	}
}

// Value returns the value at an address in a table by pc.
func (t *Table) Value(off uint32, entry, addr uint64) (value int32, ok bool) {
	t.Values(off, entry, func(end uint64, v int32) bool {
		value, ok = v, addr < end
		return !ok
	})
	if !ok {
		return 0, false
	}
	return value, true
}
