package render

import (
	"bufio"
	"bytes"
	"strings"
	"unicode/utf8"
)

// A column of a table.
type column struct {
	title string
	right bool // numbers
	width int
}

// A table has rows of text. They are asked for twice, to measure and to print
// them: there may be as many as functions in a system, and one at a time takes no
// memory.
type table struct {
	columns []column
	rows    int
	cells   func(dst []string, row int) []string // appends the cells of a row
	below   func(w *bufio.Writer, row int)       // writes what follows a row and is not part of the columns; nil: nothing
}

func (t *table) measure() {
	for i := range t.columns {
		c := &t.columns[i]
		c.width = max(c.width, utf8.RuneCountInString(c.title))
	}
	var cells []string
	for row := range t.rows {
		cells = t.cells(cells[:0], row)
		for i := range t.columns {
			c := &t.columns[i]
			c.width = max(c.width, utf8.RuneCountInString(cells[i]))
		}
	}
}

// write prints the table as perf report --stdio does: a commented heading,
// underlined by dots, then the rows.
func (t *table) write(w *bufio.Writer) {
	t.measure()
	titles := make([]string, len(t.columns))
	dots := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
		dots[i] = strings.Repeat(".", c.width)
	}
	line := t.line(nil, titles)
	line[0] = '#'
	w.Write(line)
	line = t.line(line[:0], dots)
	line[0] = '#'
	w.Write(line)
	w.WriteString("#\n")
	var cells []string
	for row := range t.rows {
		cells = t.cells(cells[:0], row)
		line = t.line(line[:0], cells)
		w.Write(line)
		if t.below != nil {
			t.below(w, row)
		}
	}
}

func (t *table) line(b []byte, cells []string) []byte {
	for i, c := range t.columns {
		b = append(b, "  "...)
		if !c.right {
			b = append(b, cells[i]...)
		}
		for range c.width - utf8.RuneCountInString(cells[i]) {
			b = append(b, ' ')
		}
		if c.right {
			b = append(b, cells[i]...)
		}
	}
	return append(bytes.TrimRight(b, " "), '\n')
}

// writeSeparated prints the rows alone, cells joined by sep. A separator within a
// cell becomes a dot, as with perf report -t.
func (t *table) writeSeparated(w *bufio.Writer, sep string) {
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	w.WriteString("# " + strings.Join(titles, sep) + "\n")
	var cells []string
	for row := range t.rows {
		cells = t.cells(cells[:0], row)
		for i, cell := range cells {
			if i > 0 {
				w.WriteString(sep)
			}
			w.WriteString(strings.ReplaceAll(strings.TrimSpace(cell), sep, "."))
		}
		w.WriteByte('\n')
	}
}
