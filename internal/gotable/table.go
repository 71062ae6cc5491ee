// Package gotable reads the function table of Go programs (.gopclntab; runtime/symtab.go),
// which even stripped programs have: names of functions and, by program counter, lines and
// stack depths. Files may be damaged.
package gotable

import (
	"bytes"
	"encoding/binary"
	"sort"
	"strings"
)

// Magic numbers of versions of the table: internal/abi/symtab.go.
const (
	version116 = 0xfffffffa // Go 1.16
	version118 = 0xfffffff0 // Go 1.18: entries are offsets from the text
	version120 = 0xfffffff1 // Go 1.20: start lines, shorter inlining trees
)

// maxTable is the maximum size of a table in bytes. Kubernetes' largest program has 40 MB.
const maxTable = 512 << 20

// A Table is the function table of one image. It is safe for concurrent use.
type Table struct {
	order    binary.ByteOrder
	version  uint32
	quantum  uint64 // unit of pc deltas in bytes
	ptrSize  int
	count    int    // of functions
	text     uint64 // virtual address of the text
	funcData uint64 // virtual address of go:func.*, 0 if unknown

	names, units, files, pcs, functions []byte

	memory int // size in bytes of the buffer they point into
}

// parse parses the header at the start of data. It returns nil if it is invalid.
func parse(order binary.ByteOrder, data []byte) *Table {
	t := &Table{order: order, memory: len(data)}
	if len(data) < 8 || data[4] != 0 || data[5] != 0 {
		return nil
	}
	t.version, t.quantum, t.ptrSize = t.order.Uint32(data), uint64(data[6]), int(data[7])
	switch t.version {
	case version116, version118, version120:
	default:
		return nil
	}
	if (t.quantum != 1 && t.quantum != 2 && t.quantum != 4) || (t.ptrSize != 4 && t.ptrSize != 8) {
		return nil
	}
	words := 8
	if t.version == version116 {
		words = 7 // without the start of the text
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
	if t.version != version116 {
		t.text = word(2) // 0 since Go 1.26 and in files that are not relocated
	}
	return t
}

func (t *Table) uintptr(b []byte) uint64 {
	if t.ptrSize == 4 {
		return uint64(t.order.Uint32(b))
	}
	return t.order.Uint64(b)
}

// fieldSize returns the size of a field of the function index.
func (t *Table) fieldSize() int {
	if t.version == version116 {
		return t.ptrSize
	}
	return 4
}

// field returns field i of the function index: even ones are entries, odd ones are offsets
// of records.
func (t *Table) field(i int) uint64 {
	b := t.functions[i*t.fieldSize():]
	if t.fieldSize() == 8 {
		return t.order.Uint64(b)
	}
	return uint64(t.order.Uint32(b))
}

// Memory returns the number of bytes of memory that the table uses.
func (t *Table) Memory() int { return t.memory }

// Len returns the number of functions.
func (t *Table) Len() int { return t.count }

// Entry returns the address of function i. Entry(Len()) is the end of the last function.
func (t *Table) Entry(i int) uint64 {
	if t.version == version116 {
		return t.field(2 * i)
	}
	return t.text + t.field(2*i)
}

// Find returns the index of the function that contains an address, or -1.
func (t *Table) Find(addr uint64) int {
	i := sort.Search(t.count+1, func(i int) bool { return t.Entry(i) > addr }) - 1
	if i >= t.count {
		return -1
	}
	return i
}

// FuncData returns the base address of the functions' data, or 0 if it is unknown or the
// data has the layout before Go 1.20.
func (t *Table) FuncData() uint64 { return t.funcData }

// Order returns the byte order of the functions' data.
func (t *Table) Order() binary.ByteOrder { return t.order }

// Name returns the name of a function, spelled as in symbol tables.
func (t *Table) Name(off uint32) string {
	return strings.ReplaceAll(tableString(t.names, uint64(off)), "·", ".")
}

// File returns the path of a file of a compile unit.
func (t *Table) File(unit uint32, file int32) string {
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

// maxName is the maximum length of names of functions and files in bytes.
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

// Named reports whether a function has a name, without allocating it.
func (t *Table) Named(off uint32, name string) bool {
	b := t.names[min(uint64(off), uint64(len(t.names))):]
	return len(b) > len(name) && b[len(name)] == 0 && string(b[:len(name)]) == name
}

// Flagless reports whether the table may be from Go 1.16, whose functions have no flags.
func (t *Table) Flagless() bool { return t.version == version116 }
