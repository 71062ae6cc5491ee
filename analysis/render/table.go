package render

import (
	"bufio"
	"bytes"
	"strings"
	"unicode/utf8"
)

// A column is a column of a table.
type column struct {
	title string
	right bool // numbers
	width int
}

// A table has rows of text. It asks for cells twice, to measure and to print them.
// There may be as many rows as functions in a system, and one at a time takes no
// memory.
type table struct {
	columns []column
	rows    int
	cell    func(dst []byte, row, column int) []byte // appends a cell
	below   func(w *bufio.Writer, row int)           // if not nil, prints text below a row
	scratch []byte                                   // for one cell
}

func (t *table) measure() {
	for i := range t.columns {
		c := &t.columns[i]
		c.width = max(c.width, utf8.RuneCountInString(c.title))
	}
	for row := range t.rows {
		for i := range t.columns {
			c := &t.columns[i]
			t.scratch = t.cell(t.scratch[:0], row, i)
			c.width = max(c.width, utf8.RuneCount(t.scratch))
		}
	}
}

// write prints the table like perf report --stdio: a commented heading underlined
// by dots, then the rows.
func (t *table) write(w *bufio.Writer) {
	t.measure()
	line := t.line(nil, func(dst []byte, i int) []byte { return append(dst, t.columns[i].title...) })
	line[0] = '#'
	w.Write(line)
	line = t.line(line[:0], func(dst []byte, i int) []byte { return append(dst, strings.Repeat(".", t.columns[i].width)...) })
	line[0] = '#'
	w.Write(line)
	w.WriteString("#\n")
	for row := range t.rows {
		line = t.line(line[:0], func(dst []byte, i int) []byte { return t.cell(dst, row, i) })
		w.Write(line)
		if t.below != nil {
			t.below(w, row)
		}
	}
}

func (t *table) line(b []byte, cell func(dst []byte, column int) []byte) []byte {
	for i, c := range t.columns {
		b = append(b, "  "...)
		t.scratch = cell(t.scratch[:0], i)
		if !c.right {
			b = append(b, t.scratch...)
		}
		for range c.width - utf8.RuneCount(t.scratch) {
			b = append(b, ' ')
		}
		if c.right {
			b = append(b, t.scratch...)
		}
	}
	return append(bytes.TrimRight(b, " "), '\n')
}

// writeSeparated prints only the rows, with cells joined by sep. A separator within
// a cell becomes a dot, as with perf report -t.
func (t *table) writeSeparated(w *bufio.Writer, sep string) {
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	w.WriteString("# " + strings.Join(titles, sep) + "\n")
	for row := range t.rows {
		for i := range t.columns {
			if i > 0 {
				w.WriteString(sep)
			}
			t.scratch = t.cell(t.scratch[:0], row, i)
			w.WriteString(strings.ReplaceAll(strings.TrimSpace(string(t.scratch)), sep, "."))
		}
		w.WriteByte('\n')
	}
}
