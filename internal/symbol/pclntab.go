package symbol

import (
	"bytes"
	"encoding/binary"
	"sort"
	"strings"
)

// Versions of Go's table, by the magic numbers of internal/abi/symtab.go.
const (
	goVersion116 = 0xfffffffa // Go 1.16
	goVersion118 = 0xfffffff0 // Go 1.18: entries are offsets from the start of the text
	goVersion120 = 0xfffffff1 // Go 1.20: start lines, shorter inlining trees
)

// maxGoTable bounds Go's table, in bytes: that of Kubernetes' largest program is 40 MB.
const maxGoTable = 512 << 20

// A goTable is the function and line table that every Go program carries, stripped
// or not (.gopclntab; runtime/symtab.go).
type goTable struct {
	elf      *object
	order    binary.ByteOrder
	version  uint32
	quantum  uint64 // bytes an instruction counts in
	ptrSize  int
	count    int    // functions
	text     uint64 // virtual address that entries count from
	funcData uint64 // virtual address of go:func.*, 0 when not found

	names, units, files, pcs, functions []byte
}

// parseGoTable checks the header at the start of data.
func parseGoTable(o *object, data []byte) *goTable {
	t := &goTable{elf: o, order: o.file.ByteOrder}
	if len(data) < 8 || data[4] != 0 || data[5] != 0 {
		return nil
	}
	t.version, t.quantum, t.ptrSize = t.order.Uint32(data), uint64(data[6]), int(data[7])
	switch t.version {
	case goVersion116, goVersion118, goVersion120:
	default:
		return nil
	}
	if (t.quantum != 1 && t.quantum != 2 && t.quantum != 4) || (t.ptrSize != 4 && t.ptrSize != 8) {
		return nil
	}
	words := 8
	if t.version == goVersion116 {
		words = 7 // no start of the text
	}
	if len(data) < 8+words*t.ptrSize {
		return nil
	}
	word := func(i int) uint64 { return t.uintptr(data[8+i*t.ptrSize:]) }
	count := word(0)
	if count > uint64(len(data))/8 {
		return nil
	}
	t.count = int(count)
	tables := []*[]byte{&t.names, &t.units, &t.files, &t.pcs, &t.functions}
	for i, table := range tables {
		off := word(words - len(tables) + i)
		if off >= uint64(len(data)) {
			return nil
		}
		*table = data[off:]
	}
	if (2*t.count+1)*t.fieldSize() > len(t.functions) {
		return nil
	}
	if t.version != goVersion116 {
		t.text = word(2) // 0 since Go 1.26, and before it in what is still to be relocated
	}
	return t
}

func (t *goTable) uintptr(b []byte) uint64 {
	if t.ptrSize == 4 {
		return uint64(t.order.Uint32(b))
	}
	return t.order.Uint64(b)
}

// fieldSize is the size of each half of an entry of the function index.
func (t *goTable) fieldSize() int {
	if t.version == goVersion116 {
		return t.ptrSize
	}
	return 4
}

// field returns word i of the function index: entries at even, offsets of the
// functions' records at odd places.
func (t *goTable) field(i int) uint64 {
	b := t.functions[i*t.fieldSize():]
	if t.fieldSize() == 8 {
		return t.order.Uint64(b)
	}
	return uint64(t.order.Uint32(b))
}

// entry returns the address of function i; that of the last but one is the end of
// the last.
func (t *goTable) entry(i int) uint64 {
	if t.version == goVersion116 {
		return t.field(2 * i)
	}
	return t.text + t.field(2*i)
}

// find returns the index of the function around an address, or -1.
func (t *goTable) find(addr uint64) int {
	i := sort.Search(t.count+1, func(i int) bool { return t.entry(i) > addr }) - 1
	if i >= t.count {
		return -1
	}
	return i
}

// A goFunction is one function's record (runtime._func).
type goFunction struct {
	entry             uint64
	nameOff           uint32
	fileOff, lineOff  uint32 // tables of values by pc, in pcs
	unit              uint32 // first file of the compile unit, in units
	tables            []byte // offsets of further tables, and of the function's data
	pcdatas, funcdats int
}

func (t *goTable) function(i int) (goFunction, bool) {
	var f goFunction
	off := t.field(2*i + 1)
	if off >= uint64(len(t.functions)) {
		return f, false
	}
	b := t.functions[off:]
	f.entry = t.entry(i)
	pos := 4 // of the name
	if t.version == goVersion116 {
		pos = t.ptrSize
	}
	size := pos + 9*4
	if t.version == goVersion120 {
		size += 4
	}
	if len(b) < size {
		return f, false
	}
	u32 := func(i int) uint32 { return t.order.Uint32(b[pos+4*i:]) }
	f.nameOff, f.fileOff, f.lineOff, f.unit = u32(0), u32(4), u32(5), u32(7)
	pcdatas, funcdats := u32(6), b[size-1]
	f.tables = b[size:]
	if uint64(pcdatas)+uint64(funcdats) > uint64(len(f.tables)/4) {
		return f, false
	}
	f.pcdatas, f.funcdats = int(pcdatas), int(funcdats)
	return f, true
}

// pcdata returns the offset of one of the function's tables of values by pc, 0 for
// none.
func (f *goFunction) pcdata(t *goTable, i int) uint32 {
	if i >= f.pcdatas {
		return 0
	}
	return t.order.Uint32(f.tables[4*i:])
}

// funcdata returns where, past go:func.*, data of the function is; ^0 for none.
func (f *goFunction) funcdata(t *goTable, i int) uint32 {
	if i >= f.funcdats {
		return ^uint32(0)
	}
	return t.order.Uint32(f.tables[4*(f.pcdatas+i):])
}

// value looks an address up in a table of values by pc: pairs of varints, value and
// pc deltas, as runtime.pcvalue reads them.
func (t *goTable) value(off uint32, entry, addr uint64) (int32, bool) {
	if off == 0 || uint64(off) >= uint64(len(t.pcs)) {
		return 0, false
	}
	c := cursor{b: t.pcs, pos: int(off)}
	value, pc := int32(-1), entry
	for first := true; ; first = false {
		delta := uint32(c.uleb())
		if delta == 0 && !first {
			return 0, false
		}
		value += int32(-(delta & 1) ^ delta>>1)
		step := c.uleb() * t.quantum
		if c.bad {
			return 0, false
		}
		pc += step
		if addr < pc {
			return value, true
		}
	}
}

// name returns a function's name, spelled as the linker does in symbol tables.
func (t *goTable) name(off uint32) string {
	return strings.ReplaceAll(tableString(t.names, uint64(off)), "·", ".")
}

// file returns the name of a compile unit's file.
func (t *goTable) file(unit uint32, file int32) string {
	i := (uint64(unit) + uint64(uint32(file))) * 4
	if file < 0 || i+4 > uint64(len(t.units)) {
		return ""
	}
	off := t.order.Uint32(t.units[i:])
	if off == ^uint32(0) {
		return ""
	}
	return tableString(t.files, uint64(off))
}

// maxName bounds names of functions and files, in bytes.
const maxName = 64 << 10

func tableString(b []byte, off uint64) string {
	if off >= uint64(len(b)) {
		return ""
	}
	b = b[off:min(off+maxName, uint64(len(b)))]
	end := bytes.IndexByte(b, 0)
	if end < 0 {
		return ""
	}
	return string(b[:end])
}
