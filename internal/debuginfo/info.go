// Package debuginfo reads DWARF about code: addresses → functions, lines and inlined calls,
// and lines → addresses. It is fast enough to name many addresses; use debug/dwarf for
// variables and types. Input is not trusted: lengths are checked before memory is
// allocated. Callers must recover from panics, since debug/elf can panic on damaged files.
package debuginfo

import (
	"sort"
	"sync"
	"unsafe"

	"trapline/internal/addrmap"
	"trapline/internal/elffile"
	"trapline/internal/meter"
)

// Info is the debug information of one file. It scans all units for the addresses that they
// cover, and reads a unit completely on first use. It supports DWARF 2 to 5 (dwarfstd.org)
// and GNU's extensions for debug information shared between files (dwz). Methods that return
// results are safe for concurrent use.
type Info struct {
	*sections
	units    []*codeUnit // by offset
	segments addrmap.Map // code → index of units
	alt      *Info

	mu    sync.Mutex
	names map[uint64]string // linkage names by offset of their entries
}

// A codeUnit is a unit with the tables of its code, which are read on first use.
type codeUnit struct {
	unit
	scopes func() *scopeTable
	lines  func() *lineTable
}

// New opens the debug sections of a file. It returns nil if there is no debug information.
// executable reports whether an address is code; ranges of other addresses are skipped. New
// and later reads add the memory of tables to memory. Call ReadUnits before anything else
// but AddAlt.
func New(f *elffile.File, memory *meter.Meter, executable func(uint64) bool) *Info {
	s := openSections(f, memory, executable)
	if s == nil {
		return nil
	}
	return &Info{sections: s, names: make(map[uint64]string)}
}

// AddAlt adds the file to which dwz moved data shared by several debug files, named in
// .gnu_debugaltlink. Call it before ReadUnits.
func (d *Info) AddAlt(f *elffile.File) {
	alt := New(f, d.memory, d.executable)
	if alt == nil {
		return
	}
	alt.scanUnits(false)
	d.alt, d.altStr = alt, alt.str
}

// ReadUnits reads the headers and root entries of all units, and the code ranges that they
// cover.
func (d *Info) ReadUnits() { d.scanUnits(true) }

// scanUnits reads the units and, if code is set, the code ranges that they cover.
func (d *Info) scanUnits(code bool) {
	info := scanner{s: d.info, step: 4 << 10, order: d.order}
	abbrevs := scanner{s: d.abbrev, step: 1 << 10, order: d.order}
	ranges := newRangeReader(d.sections, d.ranges.size/4+d.rnglists.size/2+maxUnits)
	var spans []addrmap.Span
	for off := uint64(0); off < d.info.size && len(d.units) < maxUnits; {
		u := &codeUnit{unit: unit{in: d.sections, off: off}}
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
		ranges.each(&u.unit, attrs, func(low, high uint64) {
			spans = append(spans, addrmap.Span{Low: low, High: high, Owner: int32(len(d.units) - 1)})
		})
	}
	d.segments = addrmap.New(spans)
	meter.AddSlice(d.memory, d.segments)
	d.memory.Add(len(d.units) * int(unsafe.Sizeof(codeUnit{})))
}

// unitAt returns the unit that contains an offset of the section, or nil.
func (d *Info) unitAt(off uint64) *codeUnit {
	i := sort.Search(len(d.units), func(i int) bool { return d.units[i].off > off })
	if i == 0 || off >= d.units[i-1].end {
		return nil
	}
	return d.units[i-1]
}
