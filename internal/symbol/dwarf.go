package symbol

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"path/filepath"
	"sort"
	"sync"
)

// dwarfData is the debug information of one object. Units are scanned for the
// addresses that they cover; only units that are asked for are read whole. The
// formats are those of DWARF 2 to 5 (dwarfstd.org) with GNU's extensions for debug
// information shared between files (dwz).
type dwarfData struct {
	info, abbrev, line, str, lineStr, strOffsets, addr, ranges, rnglists *dwarfSection

	memory     *meter
	order      binary.ByteOrder
	executable func(addr uint64) bool
	units      []*unit   // by offset
	segments   []segment // code → index of units
	alt        *dwarfData

	mu      sync.Mutex
	abbrevs map[abbrevKey]*abbrevTable
	names   map[uint64]string // linkage names by offset of their entries
}

// readDWARF opens the debug information of the image or of its debug file.
func (e *ELF) readDWARF() (d *dwarfData) {
	var err error
	defer func() {
		if err != nil {
			d = nil
		}
	}()
	defer guard("reading debug information", &err)
	for _, find := range []func() *object{func() *object { return e.object }, e.debug} {
		o := find()
		if o == nil {
			continue
		}
		if d = newDWARF(o, e.executable); d == nil {
			continue
		}
		if alt := e.findAltFile(o); alt != nil {
			if d.alt = newDWARF(alt, e.executable); d.alt != nil {
				d.alt.scanUnits(false)
			}
		}
		d.scanUnits(true)
		return d
	}
	return nil
}

// newDWARF opens an object's sections; nil when it has no debug information.
func newDWARF(o *object, executable func(uint64) bool) *dwarfData {
	d := &dwarfData{
		memory:     o.memory,
		order:      o.file.ByteOrder,
		executable: executable,
		abbrevs:    make(map[abbrevKey]*abbrevTable),
		names:      make(map[uint64]string),
	}
	if d.info = o.debugSection("info"); d.info.size == 0 {
		return nil
	}
	for name, s := range map[string]**dwarfSection{
		"abbrev": &d.abbrev, "line": &d.line, "str": &d.str, "line_str": &d.lineStr,
		"str_offsets": &d.strOffsets, "addr": &d.addr, "ranges": &d.ranges, "rnglists": &d.rnglists,
	} {
		*s = o.debugSection(name)
	}
	return d
}

// findAltFile opens the file that holds what dwz moved out of several debug files,
// named with its build ID in .gnu_debugaltlink.
func (e *ELF) findAltFile(o *object) *object {
	paths, id := e.altPaths(o)
	for _, path := range paths {
		if alt := e.openMatching(path, id, nil); alt != nil {
			return alt
		}
	}
	return nil
}

// altPaths returns where the file that .gnu_debugaltlink names may be, and its build ID.
func (e *ELF) altPaths(o *object) (paths []string, id []byte) {
	s := o.section(".gnu_debugaltlink")
	if s == nil || s.Size > 4096 {
		return nil, nil
	}
	b, err := o.contents(s)
	if err != nil {
		return nil, nil
	}
	name, id, ok := bytes.Cut(b, []byte{0})
	if !ok || len(name) == 0 || len(id) < 2 {
		return nil, nil
	}
	hexID := hex.EncodeToString(id)
	if path := string(name); filepath.IsAbs(path) {
		paths = append(paths, filepath.Join(e.opt.Root, path), path)
	} else if o.path != "" {
		paths = append(paths, filepath.Join(filepath.Dir(o.path), path))
	}
	for _, dir := range e.debugDirs() {
		paths = append(paths, filepath.Join(dir, ".build-id", hexID[:2], hexID[2:]+".debug"))
	}
	return paths, id
}

// calls names an address, innermost call first. The name of the outermost one is
// "" where there are lines but no function, as in assembler code.
func (d *dwarfData) calls(addr uint64) []Call {
	i := owner(d.segments, addr)
	if i < 0 {
		return nil
	}
	u := d.units[i]
	scopes, lines := u.scopes(), u.lines()
	file, line := lines.find(addr)
	var calls []Call
	for s := scopes.find(addr); s >= 0 && len(calls) < maxInlineDepth; {
		scope := &scopes.list[s]
		call := Call{Function: d.name(scope.entry), File: lines.file(file), Line: int(line)}
		if scope.parent < 0 && addr >= scope.low {
			call.Offset = addr - scope.low
		}
		calls = append(calls, call)
		file, line, s = scope.callFile, scope.callLine, scope.parent
	}
	if calls == nil && line > 0 {
		calls = []Call{{File: lines.file(file), Line: int(line)}}
	}
	return calls
}

// unitAt returns the unit around an offset of the section.
func (d *dwarfData) unitAt(off uint64) *unit {
	i := sort.Search(len(d.units), func(i int) bool { return d.units[i].off > off })
	if i == 0 || off >= d.units[i-1].end {
		return nil
	}
	return d.units[i-1]
}
