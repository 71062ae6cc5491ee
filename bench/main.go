//go:build linux

// Command bench measures what recording costs and how large captures are, beside
// perf doing the same work in the same run. It prints a table and keeps nothing.
//
// It needs root, perf, the commands in bin/ and the targets in .cache/targets
// (make bench), and a machine that has nothing else to do. Runs of the two tools
// alternate, and medians are shown.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

// A measure is one group of rows of the table.
type measure struct {
	name string
	run  func(*bench) ([]row, error)
}

var measures = []measure{
	{"loop", loopCost},
	{"uprobe", uprobeCost},
	{"kinds", kindCosts},
	{"user", userSpace},
	{"loss", lossAtRate},
	{"dwarf", lossOfCompleteStacks},
	{"build", learningInBuild},
	{"size", bytesPerHit},
	{"report", reportTime},
}

// A row compares one quantity. Want is the goal that docs/benchmarks.md states.
type row struct {
	what       string
	ours, perf float64 // perf < 0: it does not do this
	unit       string
	want       string
}

// A bench is where the measures find what they need.
type bench struct {
	bin, targets string // directories
	tmp          string // for captures, emptied between measures
	runs         int
	kinds        string // of probes, with commas; "": all
	calls        int    // for each of them
}

func main() {
	runs := flag.Int("runs", 5, "runs of each short measurement")
	only := flag.String("only", "", "comma-separated measures: loop, uprobe, kinds, user, loss, dwarf, build, size, report")
	kinds := flag.String("kinds", "", "comma-separated kinds of probes for the measure of that name (default: all)")
	calls := flag.Int("calls", 200_000, "calls that the measure kinds makes")
	dir := flag.String("tmp", "", "directory for captures, with some GiB of room (default: the system's)")
	flag.Parse()
	if err := benchmark(&bench{runs: *runs, kinds: *kinds, calls: *calls}, *only, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func benchmark(b *bench, only, dir string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("recording needs root")
	}
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	b.bin, b.targets = filepath.Join(wd, "bin"), filepath.Join(wd, ".cache", "targets")
	var rows []row
	for _, m := range measures {
		if only != "" && !listed(only, m.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: %s\n", m.name)
		b.tmp, err = os.MkdirTemp(dir, "bench")
		if err != nil {
			return err
		}
		measured, err := m.run(b)
		os.RemoveAll(b.tmp)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		rows = append(rows, measured...)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
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

// listed reports whether a name is in a list with commas.
func listed(list, name string) bool { return strings.Contains(","+list+",", ","+name+",") }

func number(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
