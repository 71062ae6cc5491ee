package render

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"trapline/analysis"
)

// Sections writes a histogram for each section.
func Sections(w io.Writer, sections []*analysis.Section, st Style) error {
	bw := bufio.NewWriter(w)
	for i, s := range sections {
		if i > 0 {
			bw.WriteString("\n\n")
		}
		section(bw, s, &st)
	}
	return bw.Flush()
}

func section(w *bufio.Writer, s *analysis.Section, st *Style) {
	fmt.Fprintf(w, "# Samples: %d", s.Samples)
	if s.Probe != "" {
		fmt.Fprintf(w, "  of event '%s'", clean(s.Probe))
	}
	if s.Samples != s.Hits {
		fmt.Fprintf(w, "  (%d before filters)", s.Hits)
	}
	fmt.Fprintf(w, "\n# Event count (approx.): %d\n#\n", s.Sum)
	t := newTable(s, st)
	if st.Separator != "" {
		t.writeSeparated(w, st.Separator)
		return
	}
	t.write(w)
}

func newTable(s *analysis.Section, st *Style) *table {
	t := &table{}
	if st.Children {
		t.columns = append(t.columns, column{title: "Children", right: true, width: 8}, column{title: "Self", right: true, width: 8})
	} else {
		t.columns = append(t.columns, column{title: "Overhead", right: true, width: 8})
	}
	if st.Samples {
		t.columns = append(t.columns, column{title: "Samples", right: true, width: 12})
	}
	for i, k := range s.Keys {
		t.columns = append(t.columns, keyColumn(k, i, s.Entries))
	}
	total := st.total(s)
	shown := s.Entries
	for i, e := range s.Entries {
		if percent(e.Total, total) < st.PercentLimit {
			shown = s.Entries[:i] // they are sorted by weight
			break
		}
	}
	t.rows = len(shown)
	t.cells = func(dst []string, row int) []string { return entryCells(dst, shown[row], s.Keys, st, total) }
	if st.Graph != GraphNone {
		t.below = func(w *bufio.Writer, row int) { entryGraph(w, shown[row], s.Keys, st, total) }
	}
	return t
}

func entryCells(dst []string, e *analysis.Entry, keys []analysis.SortKey, st *Style, total uint64) []string {
	dst = append(dst, share(e.Total, total))
	if st.Children {
		dst = append(dst, share(e.Self, total))
	}
	if st.Samples {
		// perf counts the samples of the entry itself, also with --children.
		dst = append(dst, strconv.FormatUint(e.SelfHits, 10))
	}
	for i, k := range keys {
		dst = append(dst, cellText(k, e.Cells[i]))
	}
	return dst
}

func entryGraph(w *bufio.Writer, e *analysis.Entry, keys []analysis.SortKey, st *Style, total uint64) {
	if len(e.Tree) == 0 {
		return
	}
	g := graph{style: st, total: total, entry: e}
	if len(keys) > 0 && keys[0].Kind == analysis.KeySymbol {
		g.symbol = e.Cells[0].Text
	}
	g.write(w)
}

func keyColumn(k analysis.SortKey, i int, entries []*analysis.Entry) column {
	switch k.Kind {
	case analysis.KeyComm:
		return column{title: "Command"}
	case analysis.KeyPID:
		return column{title: "    Pid:Command"}
	case analysis.KeyTID:
		return column{title: "    Tid:Command"}
	case analysis.KeyDSO:
		return column{title: "Shared Object"}
	case analysis.KeySymbol:
		return column{title: "Symbol"}
	case analysis.KeySrcline:
		return column{title: "Source:Line"}
	case analysis.KeyCPU:
		return column{title: "CPU", right: true}
	case analysis.KeyProbe:
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

func cellText(k analysis.SortKey, c analysis.Cell) string {
	switch k.Kind {
	case analysis.KeyPID, analysis.KeyTID:
		return fmt.Sprintf("%7d:%s", c.ID, clean(c.Text))
	case analysis.KeyCPU:
		return strconv.FormatUint(uint64(c.ID), 10)
	case analysis.KeySymbol:
		if c.Kernel {
			return "[k] " + clean(c.Text)
		}
		return "[.] " + clean(c.Text)
	}
	return clean(strings.TrimRight(c.Text, " "))
}
