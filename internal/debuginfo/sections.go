package debuginfo

import (
	"encoding/binary"

	"trapline/internal/elffile"
	"trapline/internal/meter"
)

// sections are the debug sections of one file.
type sections struct {
	info, abbrev, line, str, lineStr, strOffsets, addr, ranges, rnglists *Section

	order   binary.ByteOrder
	memory  *meter.Meter
	abbrevs *abbrevTables
	altStr  *Section // .debug_str of the file shared by several debug files, or nil

	// executable reports whether an address is in a segment of code.
	executable func(addr uint64) bool
}

// openSections opens the debug sections of a file. It returns nil if there is no debug
// information.
func openSections(f *elffile.File, memory *meter.Meter, executable func(uint64) bool) *sections {
	s := &sections{order: f.ByteOrder, memory: memory, executable: executable}
	if s.info = OpenSection(f, "info", memory); s.info.size == 0 {
		return nil
	}
	for name, into := range map[string]**Section{
		"abbrev": &s.abbrev, "line": &s.line, "str": &s.str, "line_str": &s.lineStr,
		"str_offsets": &s.strOffsets, "addr": &s.addr, "ranges": &s.ranges, "rnglists": &s.rnglists,
	} {
		*into = OpenSection(f, name, memory)
	}
	s.abbrevs = &abbrevTables{section: s.abbrev, order: s.order, memory: memory, tables: make(map[abbrevKey]*abbrevTable)}
	return s
}
