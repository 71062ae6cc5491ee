package debuginfo

import (
	"cmp"
	"slices"
	"sort"

	"trapline/internal/cursor"
	"trapline/internal/meter"
)

// A lineTable maps the code of one unit to lines of its files.
type lineTable struct {
	sequences []sequence
	rows      []lineRow // sorted by address within a sequence
	files     fileNames
}

// A sequence is a contiguous run of code.
type sequence struct {
	low, high   uint64
	first, last int // in rows: [first, last)
}

// A lineRow holds the line of the code from its address up to the next row.
type lineRow struct {
	addr       uint64
	file, line uint32
}

// maxLineRows limits the rows of a unit.
const maxLineRows = 1 << 24

// find returns the file and line of an address.
func (t *lineTable) find(addr uint64) (file, line uint32) {
	i := sort.Search(len(t.sequences), func(i int) bool { return t.sequences[i].low > addr })
	// Sequences should not overlap. If they do, an earlier one may contain the address.
	for tries := 0; i > 0 && tries < 8; tries++ {
		i--
		s := &t.sequences[i]
		if addr >= s.high {
			continue
		}
		rows := t.rows[s.first:s.last]
		j := sort.Search(len(rows), func(j int) bool { return rows[j].addr > addr })
		if j > 0 {
			return rows[j-1].file, rows[j-1].line
		}
	}
	return 0, 0
}

// file returns the path of a file by its number in the unit.
func (t *lineTable) file(number uint32) string { return t.files.path(number) }

// readLines executes the unit's line number program.
func (u *unit) readLines() *lineTable {
	t := new(lineTable)
	if p, c, ok := u.lineProgram(&t.files); ok {
		p.table = t
		p.run(&c)
		slices.SortStableFunc(t.sequences, func(a, b sequence) int { return cmp.Compare(a.low, b.low) })
		meter.AddSlice(u.in.memory, t.sequences)
		meter.AddSlice(u.in.memory, t.rows)
		meter.AddSlice(u.in.memory, t.files.files)
	}
	return t
}

// lineProgram reads the header and files of the unit's line number program.
func (u *unit) lineProgram(files *fileNames) (p lineProgram, c cursor.Cursor, ok bool) {
	if !u.hasLines {
		return p, c, false
	}
	size := cursor.New(u.in.line.window(u.lineOff, 12), u.in.order)
	length, offSize := size.Uint(4), uint8(4)
	if length == 0xffffffff {
		length, offSize = size.Uint(8), 8
	}
	if !size.OK() || length > maxSection {
		return p, c, false
	}
	c = cursor.New(u.in.line.window(u.lineOff+uint64(size.Pos()), length), u.in.order)
	h, ok := u.readLineHeader(&c, offSize, files)
	return lineProgram{header: h, executable: u.in.executable}, c, ok
}

// Opcodes: DWARF 5, section 7.22.
const (
	lnsCopy           = 1
	lnsAdvancePC      = 2
	lnsAdvanceLine    = 3
	lnsSetFile        = 4
	lnsNegateStmt     = 6
	lnsConstAddPC     = 8
	lnsFixedAdvancePC = 9
	lneEndSequence    = 1
	lneSetAddress     = 2
)

// A lineProgram is the state machine of DWARF 5, section 6.2, with the registers for files,
// lines and statements. It adds rows to table or, if that is nil, passes all rows and ends
// of sequences to visit.
type lineProgram struct {
	header     lineHeader
	executable func(uint64) bool
	table      *lineTable
	visit      func(row lineRow, statement, end bool)

	addr       uint64
	file, line uint64
	statement  bool
	first      int // first row of the sequence
	rows       int // visited
}

func (p *lineProgram) reset() {
	p.addr, p.file, p.line, p.statement = 0, 1, 1, p.header.statement
	if p.table != nil {
		p.first = len(p.table.rows)
	}
}

func (p *lineProgram) run(c *cursor.Cursor) {
	h := &p.header
	p.reset()
	for c.Len() > 0 && p.rows < maxLineRows {
		op := c.U8()
		if op >= h.opcodeBase {
			adjusted := op - h.opcodeBase
			p.addr += uint64(adjusted/h.lineRange) * h.minInst
			p.line += uint64(int64(h.lineBase) + int64(adjusted%h.lineRange))
			p.emit()
			continue
		}
		switch op {
		case 0:
			p.extended(c)
		case lnsCopy:
			p.emit()
		case lnsAdvancePC:
			p.addr += c.Uleb() * h.minInst
		case lnsAdvanceLine:
			p.line += uint64(c.Sleb())
		case lnsSetFile:
			p.file = c.Uleb()
		case lnsNegateStmt:
			p.statement = !p.statement
		case lnsConstAddPC:
			p.addr += uint64((255-h.opcodeBase)/h.lineRange) * h.minInst
		case lnsFixedAdvancePC:
			p.addr += c.Uint(2)
		default:
			for range h.opcodeLengths[op-1] {
				c.Uleb()
			}
		}
	}
}

func (p *lineProgram) extended(c *cursor.Cursor) {
	length := c.Uleb()
	if length > uint64(c.Len()) || length == 0 {
		if length != 0 {
			c.Fail()
		}
		return
	}
	args := c.Sub(length)
	switch args.U8() {
	case lneEndSequence:
		p.endSequence()
		p.reset()
	case lneSetAddress:
		if size := int(length) - 1; size == 4 || size == 8 {
			p.addr = args.Uint(size)
		}
	}
}

// emit adds a row unless it repeats the row before it. The last of several rows at one
// address counts.
func (p *lineProgram) emit() {
	p.rows++
	row := lineRow{p.addr, uint32(p.file), uint32(p.line)}
	if p.table == nil {
		p.visit(row, p.statement, false)
		return
	}
	rows := p.table.rows
	if n := len(rows); n > p.first {
		last := &rows[n-1]
		if last.addr == row.addr {
			*last = row
			return
		}
		if last.file == row.file && last.line == row.line && last.addr < row.addr {
			return
		}
	}
	p.table.rows = append(rows, row)
}

func (p *lineProgram) endSequence() {
	t := p.table
	if t == nil {
		p.visit(lineRow{addr: p.addr}, false, true)
		return
	}
	rows := t.rows[p.first:]
	if len(rows) == 0 {
		return
	}
	byAddr := func(a, b lineRow) int { return cmp.Compare(a.addr, b.addr) }
	if !slices.IsSortedFunc(rows, byAddr) {
		slices.SortStableFunc(rows, byAddr)
	}
	low := rows[0].addr
	if low <= 1 || p.addr <= low || !p.executable(low) {
		t.rows = t.rows[:p.first] // code dropped by the linker
		return
	}
	t.sequences = append(t.sequences, sequence{low: low, high: p.addr, first: p.first, last: len(t.rows)})
}
