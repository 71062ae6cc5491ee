package render

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"trapline/analysis"
	"trapline/format"
)

// Accounts prints the account as a table: a row for each probe and CPU, a column
// for each cause, and a row with the sums. In each row, "Hits" is the sum of the
// other columns.
func Accounts(w io.Writer, q *analysis.Quality) error {
	bw := bufio.NewWriter(w)
	sum := q.Sum()
	shown := slices.Clone(causes)
	for _, c := range slices.Sorted(maps.Keys(sum)) {
		if c.Lost() {
			shown = append(shown, c)
		}
	}
	var rows [][]string
	t := &table{columns: []column{{title: "Probe"}, {title: "CPU", right: true}, {title: "Hits", right: true}}}
	for _, c := range shown {
		t.columns = append(t.columns, column{title: c.String(), right: true})
	}
	line := func(probe, cpu string, counts map[format.Cause]uint64) {
		a := analysis.Account{Counts: counts}
		cells := []string{clean(probe), cpu, strconv.FormatUint(a.Total(), 10)}
		for _, c := range shown {
			cells = append(cells, strconv.FormatUint(counts[c], 10))
		}
		rows = append(rows, cells)
	}
	for _, a := range q.Accounts {
		cpu := strconv.FormatUint(uint64(a.CPU), 10)
		if a.CPU == format.AnyCPU {
			cpu = "any"
		}
		line(a.Probe, cpu, a.Counts)
	}
	line("total", "all", sum)
	t.rows = len(rows)
	t.cell = func(dst []byte, row, column int) []byte { return append(dst, rows[row][column]...) }
	t.write(bw)
	fmt.Fprintf(bw, "#\n# %d hits are in the capture\n", q.Hits)
	return bw.Flush()
}
