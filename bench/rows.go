//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// A row compares one quantity. want is the goal stated in docs/benchmarks.md.
type row struct {
	what       string
	ours, perf float64 // negative perf means not measured
	unit       string
	want       string
}

// printRows prints the table. A ratio is trapline's figure divided by perf's.
func printRows(out io.Writer, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ttrapline\tperf\t\ttrapline/perf\twanted")
	for _, r := range rows {
		perf, ratio := "-", "-"
		if r.perf >= 0 {
			perf = number(r.perf)
		}
		if r.perf > 0 {
			ratio = fmt.Sprintf("%.3f", r.ours/r.perf)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.what, number(r.ours), perf, r.unit, ratio, r.want)
	}
	return w.Flush()
}

// number formats large values as integers and small ones with two decimals.
func number(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
