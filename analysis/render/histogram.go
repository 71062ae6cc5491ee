package render

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"trapline/analysis/histogram"
)

// Sections prints the histogram of each section.
func Sections(w io.Writer, sections []*histogram.Section, st Style) error {
	bw := bufio.NewWriter(w)
	for i, s := range sections {
		if i > 0 {
			bw.WriteString("\n\n")
		}
		section(bw, s, &st)
	}
	return bw.Flush()
}

func section(w *bufio.Writer, s *histogram.Section, st *Style) {
	fmt.Fprintf(w, "# Samples: %d", s.Samples)
	if s.Probe != "" {
		fmt.Fprintf(w, "  of event '%s'", clean(s.Probe))
	}
	if s.Samples != s.Hits {
		fmt.Fprintf(w, "  (%d before filters)", s.Hits)
	}
	fmt.Fprintf(w, "\n# Event count (approx.): %d%s\n#\n", s.Sum, scaled(s))
	if missing(s) {
		w.WriteString("# None of them has these arguments.\n")
		return
	}
	t := newTable(s, st)
	if t.rows == 0 {
		return
	}
	if st.Separator != "" {
		t.writeSeparated(w, st.Separator)
		return
	}
	t.write(w)
}

// scaled says how many events a sample stands for, if not every hit was kept.
func scaled(s *histogram.Section) string {
	if s.Weight == s.Hits || s.Hits == 0 {
		return ""
	}
	return fmt.Sprintf("  (a sample counts for %s)", strconv.FormatFloat(float64(s.Weight)/float64(s.Hits), 'g', 6, 64))
}

// missing reports whether a section is empty because its probe has none of the
// arguments that are its keys.
func missing(s *histogram.Section) bool {
	if len(s.Entries) != 1 {
		return false
	}
	for i, k := range s.Keys {
		if k.Kind != histogram.KeyArg || s.Entries[0].Cells[i].Value != nil {
			return false
		}
	}
	return true
}

func newTable(s *histogram.Section, st *Style) *table {
	total := st.total(s)
	shown := s.Entries
	for i, e := range s.Entries {
		if percent(e.Total, total) < st.PercentLimit {
			shown = s.Entries[:i] // entries are sorted by weight
			break
		}
	}
	t := &table{rows: len(shown)}
	var cells []func(dst []byte, e *histogram.Entry) []byte
	add := func(c column, cell func(dst []byte, e *histogram.Entry) []byte) {
		t.columns, cells = append(t.columns, c), append(cells, cell)
	}
	overhead := column{title: "Overhead", right: true, width: 8}
	if st.Children {
		overhead.title = "Children"
	}
	add(overhead, func(dst []byte, e *histogram.Entry) []byte { return appendShare(dst, e.Total, total) })
	if st.Children {
		add(column{title: "Self", right: true, width: 8},
			func(dst []byte, e *histogram.Entry) []byte { return appendShare(dst, e.Self, total) })
	}
	if st.Samples {
		// Like perf, count only the samples of the entry itself, even with
		// --children.
		add(column{title: "Samples", right: true, width: 12},
			func(dst []byte, e *histogram.Entry) []byte { return strconv.AppendUint(dst, e.SelfHits, 10) })
	}
	for i, k := range s.Keys {
		add(keyColumn(k, i, shown), func(dst []byte, e *histogram.Entry) []byte { return appendCell(dst, k, &e.Cells[i]) })
	}
	t.cell = func(dst []byte, row, column int) []byte { return cells[column](dst, shown[row]) }
	if st.Graph != GraphNone {
		t.below = func(w *bufio.Writer, row int) { entryGraph(w, shown[row], s.Keys, st, total) }
	}
	return t
}

func entryGraph(w *bufio.Writer, e *histogram.Entry, keys []histogram.Key, st *Style, total uint64) {
	if e.Tree == nil {
		return
	}
	g := graph{style: st, total: total, entry: e}
	if len(keys) > 0 && keys[0].Kind == histogram.KeySymbol {
		g.symbol = e.Cells[0].Text
	}
	g.write(w)
}

func keyColumn(k histogram.Key, i int, entries []*histogram.Entry) column {
	switch k.Kind {
	case histogram.KeyComm:
		return column{title: "Command"}
	case histogram.KeyPID:
		return column{title: "    Pid:Command"}
	case histogram.KeyTID:
		return column{title: "    Tid:Command"}
	case histogram.KeyDSO:
		return column{title: "Shared Object"}
	case histogram.KeySymbol:
		return column{title: "Symbol"}
	case histogram.KeySrcline:
		return column{title: "Source:Line"}
	case histogram.KeyCPU:
		return column{title: "CPU", right: true}
	case histogram.KeyProbe:
		return column{title: "Probe"}
	}
	c := column{title: clean(k.Arg), right: true}
	for _, e := range entries {
		if v := e.Cells[i].Value; v != nil && !v.Numeric() {
			c.right = false
		}
	}
	return c
}

func appendCell(dst []byte, k histogram.Key, c *histogram.Cell) []byte {
	switch k.Kind {
	case histogram.KeyPID, histogram.KeyTID:
		dst = pad(dst, strconv.FormatUint(uint64(c.ID), 10), 7)
		return append(append(dst, ':'), clean(c.Text)...)
	case histogram.KeyCPU:
		return strconv.AppendUint(dst, uint64(c.ID), 10)
	case histogram.KeySymbol:
		if c.Kernel {
			dst = append(dst, "[k] "...)
		} else {
			dst = append(dst, "[.] "...)
		}
		return append(dst, clean(c.Text)...)
	}
	return append(dst, clean(strings.TrimRight(c.Text, " "))...)
}
