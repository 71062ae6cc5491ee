package cost

import (
	"bytes"
	"fmt"
	"strconv"
)

// Pages returns the pages that show tables, as paths from the module's root.
func Pages() []string { return []string{"README.md", "docs/benchmarks.md"} }

// In a page, a table is between two comments, which are invisible when rendered.
const (
	pageBegin = "<!-- costs: %s, written by bench -->\n"
	pageEnd   = "<!-- end of costs -->\n"
)

// headings holds the titles of columns, by Way.
var headings = map[Way]string{
	Plain:          "trapline",
	Arguments:      "with arguments",
	Stacks:         "with stacks",
	Perf:           "perf",
	PerfStacks:     "perf -g",
	Bpftrace:       "bpftrace `count()`",
	BpftraceStacks: "by stacks",
}

// Markdown returns the table as pages show it: one row per kind of probe, in ns.
func (t *Table) Markdown() string {
	head, rule, rows := "| |", "|---|", ""
	for _, w := range Ways() {
		head += " " + headings[w] + " |"
		rule += "---:|"
	}
	for _, r := range t.Rows {
		rows += "| " + r.Kind + " |"
		for _, w := range Ways() {
			rows += " " + r.Cell(w) + " |"
		}
		rows += "\n"
	}
	return head + "\n" + rule + "\n" + rows
}

// Cell returns a figure as tables show it, "–" if it is missing.
func (r *Row) Cell(w Way) string {
	if ns, ok := r.NS[w]; ok {
		return strconv.Itoa(ns)
	}
	return "–"
}

// Fill returns the page with its tables replaced by the given ones. It returns an error if
// the page lacks one of them.
func Fill(page []byte, tables []Table) ([]byte, error) {
	for i := range tables {
		begin := fmt.Appendf(nil, pageBegin, tables[i].Name)
		before, rest, ok := bytes.Cut(page, begin)
		if !ok {
			return nil, fmt.Errorf("it has no line %q", begin)
		}
		_, after, ok := bytes.Cut(rest, []byte(pageEnd))
		if !ok {
			return nil, fmt.Errorf("no line %q follows %q", pageEnd, begin)
		}
		page = bytes.Join([][]byte{before, begin, []byte(tables[i].Markdown()), []byte(pageEnd), after}, nil)
	}
	return page, nil
}
