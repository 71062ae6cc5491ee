package render

import (
	"bufio"
	"strings"
	"unicode/utf8"
)

// A column of a table.
type column struct {
	title string
	right bool // numbers
	width int
}

// A table has rows of text, each with lines below it that are not part of the
// columns.
type table struct {
	columns []column
	rows    []row
}

type row struct {
	cells []string
	below func(w *bufio.Writer) // nil: nothing
}

func (t *table) measure() {
	for i := range t.columns {
		c := &t.columns[i]
		c.width = max(c.width, utf8.RuneCountInString(c.title))
		for _, r := range t.rows {
			c.width = max(c.width, utf8.RuneCountInString(r.cells[i]))
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
	w.WriteString("#" + t.line(titles)[1:])
	w.WriteString("#" + t.line(dots)[1:])
	w.WriteString("#\n")
	for _, r := range t.rows {
		w.WriteString(t.line(r.cells))
		if r.below != nil {
			r.below(w)
		}
	}
}

func (t *table) line(cells []string) string {
	var b strings.Builder
	for i, c := range t.columns {
		b.WriteString("  ")
		pad := strings.Repeat(" ", c.width-utf8.RuneCountInString(cells[i]))
		if c.right {
			b.WriteString(pad + cells[i])
		} else {
			b.WriteString(cells[i] + pad)
		}
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// writeSeparated prints the rows alone, cells joined by sep. A separator within a
// cell becomes a dot, as with perf report -t.
func (t *table) writeSeparated(w *bufio.Writer, sep string) {
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	w.WriteString("# " + strings.Join(titles, sep) + "\n")
	for _, r := range t.rows {
		for i, cell := range r.cells {
			if i > 0 {
				w.WriteString(sep)
			}
			w.WriteString(strings.ReplaceAll(strings.TrimSpace(cell), sep, "."))
		}
		w.WriteByte('\n')
	}
}
