package symbol

import (
	"debug/dwarf"
	"encoding/binary"
	"fmt"
	"sort"

	"trapline/internal/debuginfo"
)

// DebugData is the debug information of an image about variables and types. For lines and
// names of code, [ELF.Lookup] is faster.
type DebugData struct {
	*dwarf.Data

	// Sections that package dwarf does not read: location lists before and since DWARF 5,
	// and the addresses they refer to. nil if the image has none.
	Loc, LocLists, Addr []byte

	units []unitHeader // by offset
}

// A unitHeader holds the fields of a unit header that package dwarf does not return.
type unitHeader struct {
	offset  dwarf.Offset
	version int
}

// Version returns the DWARF version of the unit that contains an entry.
func (d *DebugData) Version(entry dwarf.Offset) int {
	i := sort.Search(len(d.units), func(i int) bool { return d.units[i].offset > entry })
	if i == 0 {
		return 0
	}
	return d.units[i-1].version
}

// unitHeaders reads the headers of .debug_info (DWARF 5, section 7.5.1).
func unitHeaders(info []byte) (units []unitHeader) {
	le := binary.LittleEndian
	for at := 0; at+18 <= len(info); {
		length, size := uint64(le.Uint32(info[at:])), 4
		if length == 0xffffffff {
			length, size = le.Uint64(info[at+4:]), 12
		}
		units = append(units, unitHeader{dwarf.Offset(at), int(le.Uint16(info[at+size:]))})
		if length > uint64(len(info)-at-size) {
			break
		}
		at += size + int(length)
	}
	return units
}

// DebugData reads the debug information of the image or its debug file into memory. It
// returns nil if there is none, and an error if entries take more than limit bytes.
func (e *ELF) DebugData(limit uint64) (d *DebugData, err error) {
	defer guard("reading debug information", &err)
	for _, find := range []func() *object{func() *object { return e.object }, e.debug} {
		o := find()
		if o == nil {
			continue
		}
		size := debuginfo.OpenSection(o.file, "info", o.memory).Size()
		if size == 0 {
			continue
		}
		if size > limit {
			return nil, fmt.Errorf("%d MB of debug information are more than the %d MB that are read for arguments", size>>20, limit>>20)
		}
		return o.debugData()
	}
	return nil, nil
}

func (o *object) debugData() (*DebugData, error) {
	sections := make(map[string][]byte)
	for _, name := range []string{"abbrev", "info", "line", "ranges", "str", "addr", "line_str", "str_offsets", "rnglists", "types", "loc", "loclists"} {
		b, err := debuginfo.OpenSection(o.file, name, o.memory).All()
		if err != nil {
			return nil, fmt.Errorf("reading .debug_%s: %w", name, err)
		}
		sections[name] = b
	}
	data, err := dwarf.New(sections["abbrev"], nil, nil, sections["info"], sections["line"], nil, sections["ranges"], sections["str"])
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"addr", "line_str", "str_offsets", "rnglists"} {
		if len(sections[name]) > 0 {
			if err := data.AddSection(".debug_"+name, sections[name]); err != nil {
				return nil, err
			}
		}
	}
	if b := sections["types"]; len(b) > 0 {
		if err := data.AddTypes("types-0", b); err != nil {
			return nil, err
		}
	}
	return &DebugData{Data: data, Loc: sections["loc"], LocLists: sections["loclists"], Addr: sections["addr"], units: unitHeaders(sections["info"])}, nil
}
