package debuginfo

import (
	"debug/dwarf"
	"encoding/binary"
	"sync"

	"trapline/internal/cursor"
	"trapline/internal/meter"
)

// An abbrev describes the entries with one abbreviation code.
type abbrev struct {
	tag      dwarf.Tag
	children bool
	fixed    int // bytes of all attributes, or -1 if they vary
	attrs    []attrSpec
}

// An abbrevTable holds the abbreviations of a unit. Compilers number codes from 1, so nearly
// all are in dense.
type abbrevTable struct {
	dense  []abbrev // by code-1
	sparse map[uint64]*abbrev
}

// abbrevKey identifies a table by its offset and the encoding, which determines sizes.
type abbrevKey struct {
	off uint64
	enc encoding
}

func (t *abbrevTable) get(code uint64) *abbrev {
	if code-1 < uint64(len(t.dense)) {
		return &t.dense[code-1]
	}
	return t.sparse[code]
}

func (t *abbrevTable) count(m *meter.Meter) {
	meter.AddSlice(m, t.dense)
	for i := range t.dense {
		meter.AddSlice(m, t.dense[i].attrs)
	}
	for _, a := range t.sparse {
		meter.AddSlice(m, a.attrs)
	}
}

// abbrevTables caches the tables of .debug_abbrev, since units often share one. It is safe
// for concurrent use.
type abbrevTables struct {
	section *Section
	order   binary.ByteOrder
	memory  *meter.Meter

	mu     sync.Mutex
	tables map[abbrevKey]*abbrevTable
}

// get returns the table at an offset of the section, or nil if it is damaged.
func (a *abbrevTables) get(off uint64, enc encoding) *abbrevTable {
	key := abbrevKey{off, enc}
	a.mu.Lock()
	t, ok := a.tables[key]
	a.mu.Unlock()
	if ok {
		return t
	}
	s := scanner{s: a.section, step: 4 << 10, order: a.order}
	good := s.read(off, func(c *cursor.Cursor) {
		t = &abbrevTable{sparse: make(map[uint64]*abbrev)}
		for c.OK() {
			code, entry, ok := readAbbrev(c, enc)
			if !ok {
				break
			}
			if code == uint64(len(t.dense))+1 {
				t.dense = append(t.dense, entry)
			} else {
				t.sparse[code] = &entry
			}
		}
	})
	if !good {
		t = nil
	} else {
		t.count(a.memory)
	}
	a.mu.Lock()
	a.tables[key] = t
	a.mu.Unlock()
	return t
}

// findAbbrev reads one abbreviation without keeping the table. Those of root entries are
// usually first.
func findAbbrev(s *scanner, off, code uint64, enc encoding) (found *abbrev) {
	s.read(off, func(c *cursor.Cursor) {
		for {
			k, a, ok := readAbbrev(c, enc)
			if !ok {
				return
			}
			if k == code {
				found = &a
				return
			}
		}
	})
	return found
}

// readAbbrev reads one declaration. ok is false at the end of the table.
func readAbbrev(c *cursor.Cursor, enc encoding) (code uint64, a abbrev, ok bool) {
	if code = c.Uleb(); code == 0 || !c.OK() {
		return 0, a, false
	}
	a.tag = dwarf.Tag(c.Uleb())
	a.children = c.U8() != 0
	for {
		attr, form := c.Uleb(), c.Uleb()
		if !c.OK() {
			return 0, a, false
		}
		if attr == 0 && form == 0 {
			return code, a, true
		}
		spec := attrSpec{attr: dwarf.Attr(attr), form: uint16(min(form, 0xffff))}
		if form == formImplicit {
			spec.implicit = c.Sleb()
		}
		a.attrs = append(a.attrs, spec)
		if size := enc.fixedSize(spec.form); size < 0 || a.fixed < 0 {
			a.fixed = -1
		} else {
			a.fixed += size
		}
	}
}
