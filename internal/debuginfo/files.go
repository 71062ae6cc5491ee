package debuginfo

import (
	"bytes"
	"path"
	"strings"
	"sync"

	"trapline/internal/cursor"
)

// A lineHeader holds the constants of a line number program.
type lineHeader struct {
	minInst       uint64 // unit of address advances in bytes
	statement     bool   // initial value of is_stmt
	lineBase      int8
	lineRange     uint8
	opcodeBase    uint8
	opcodeLengths []byte
}

// fileNames are the files of a line table. Paths are assembled on first use.
type fileNames struct {
	unit  *unit
	first uint32 // number of the first file: 1 before DWARF 5, then 0
	dirs  []value
	files []fileName

	mu    sync.Mutex
	paths map[uint32]string
}

type fileName struct {
	name value
	dir  uint64
}

// readLineHeader reads the program header: DWARF 5 and 4, section 6.2.4.
func (u *unit) readLineHeader(c *cursor.Cursor, offSize uint8, files *fileNames) (h lineHeader, ok bool) {
	enc := encoding{version: uint16(c.Uint(2)), addrSize: u.addrSize, offSize: offSize}
	if enc.version < 2 || enc.version > 5 {
		return h, false
	}
	if enc.version == 5 {
		c.Skip(2) // sizes of addresses and segment selectors
	}
	length := c.Uint(int(offSize))
	if !c.OK() || length > uint64(c.Len()) {
		return h, false
	}
	end := c.Pos() + int(length)
	h.minInst = uint64(c.U8())
	if enc.version >= 4 {
		c.Skip(1) // operations per instruction, for VLIW machines
	}
	h.statement = c.U8() != 0
	h.lineBase, h.lineRange, h.opcodeBase = int8(c.U8()), c.U8(), c.U8()
	if !c.OK() || h.lineRange == 0 || h.opcodeBase == 0 {
		return h, false
	}
	h.opcodeLengths = c.Bytes(uint64(h.opcodeBase) - 1)
	// Clone the names, which stay in memory, to release the program.
	names := cursor.New(bytes.Clone(c.Rest()[:max(0, end-c.Pos())]), u.in.order)
	files.unit = u
	files.paths = make(map[uint32]string)
	if enc.version == 5 {
		readEntries(&names, enc, func(name value, _ uint64) { files.dirs = append(files.dirs, name) })
		readEntries(&names, enc, func(name value, dir uint64) { files.files = append(files.files, fileName{name, dir}) })
	} else {
		files.readOld(&names)
	}
	c.Seek(max(end, c.Pos()))
	return h, c.OK()
}

// readOld reads the directories and files of DWARF 2 to 4. Directory 0 is the compilation
// directory.
func (f *fileNames) readOld(c *cursor.Cursor) {
	f.first = 1
	f.dirs = append(f.dirs, f.unit.dir)
	for c.OK() {
		name := c.CString()
		if len(name) == 0 {
			break
		}
		f.dirs = append(f.dirs, value{form: formString, text: name})
	}
	for c.OK() {
		name := c.CString()
		if len(name) == 0 {
			break
		}
		dir := c.Uleb()
		c.Uleb() // time of change
		c.Uleb() // length
		f.files = append(f.files, fileName{value{form: formString, text: name}, dir})
	}
}

// Content types of DWARF 5 file tables: section 7.22.
const (
	lnctPath      = 1
	lnctDirectory = 2
)

// readEntries reads a DWARF 5 table: the format of its entries, then the entries.
func readEntries(c *cursor.Cursor, enc encoding, visit func(name value, dir uint64)) {
	type column struct {
		content uint64
		spec    attrSpec
	}
	format := make([]column, c.U8())
	for i := range format {
		format[i].content = c.Uleb()
		format[i].spec.form = uint16(min(c.Uleb(), 0xffff))
	}
	count := c.Uleb()
	if len(format) == 0 {
		return
	}
	for range count {
		var name value
		var dir uint64
		start := c.Pos()
		for _, col := range format {
			v := enc.read(c, col.spec)
			switch col.content {
			case lnctPath:
				name = v
			case lnctDirectory:
				dir = v.num
			}
		}
		if !c.OK() || c.Pos() == start {
			return
		}
		visit(name, dir)
	}
}

// path returns the path of a file by its number, or "" if the table does not have it.
func (f *fileNames) path(number uint32) string {
	i := uint64(number) - uint64(f.first)
	if f.unit == nil || i >= uint64(len(f.files)) {
		return ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.paths[number]; ok {
		return p
	}
	p := f.join(f.files[i])
	f.paths[number] = p
	return p
}

func (f *fileNames) join(file fileName) string {
	name := f.unit.text(file.name)
	if name == "" || strings.HasPrefix(name, "/") {
		return name
	}
	dir := ""
	if file.dir < uint64(len(f.dirs)) {
		dir = f.unit.text(f.dirs[file.dir])
	}
	// Directory 0 is the compilation directory, which may be relative itself.
	if !strings.HasPrefix(dir, "/") && file.dir != 0 {
		dir = path.Join(f.unit.text(f.unit.dir), dir)
	}
	return path.Join(dir, name)
}
