//go:build linux

// Command bench measures what recording costs and how large captures are, next to perf
// doing the same work in the same run. It prints a table.
//
// It needs root, perf, the commands in bin/ and the targets in .cache/targets (make bench
// builds both), and an otherwise idle machine. Runs of the tools alternate. Figures are
// medians.
//
// With -write, the costs by kind of probe also replace a table of internal/cost, and with it
// the tables in README.md and docs/benchmarks.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"trapline/internal/cost"
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

func main() {
	var o options
	flag.IntVar(&o.runs, "runs", 5, "runs of each short measurement")
	flag.Var(&o.only, "only", "comma-separated `measures`: "+strings.Join(measureNames(), ", ")+" (default: all)")
	flag.Var(&o.kinds, "kinds", "comma-separated `kinds` of probes for the measure kinds: "+strings.Join(kindNames(), ", ")+" (default: all)")
	flag.IntVar(&o.calls, "calls", 200_000, "number of calls for the measure kinds")
	flag.StringVar(&o.tmp, "tmp", "", "`directory` for captures, with some GiB of space (default: the system's)")
	flag.BoolVar(&o.json, "json", false, "also print the results of the measure kinds as one line of JSON")
	flag.StringVar(&o.write, "write", "", "replace a `table` of internal/cost by the results of the measure kinds: "+cost.Native+" or "+cost.Emulated)
	flag.StringVar(&o.from, "from", "", "for -write, take the results from a `file` with the output of -json instead of measuring")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// check rejects options that make no sense.
func (o *options) check() error {
	switch {
	case flag.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case o.runs < 1 || o.calls < 1:
		return fmt.Errorf("-runs %d, -calls %d: both must be at least 1", o.runs, o.calls)
	case o.from != "" && o.write == "":
		return fmt.Errorf("-from %s needs -write, which names the table to replace", o.from)
	}
	if o.write != "" && o.write != cost.Native && o.write != cost.Emulated {
		return fmt.Errorf("-write %s: tables are %s and %s", o.write, cost.Native, cost.Emulated)
	}
	if err := o.only.among("measure", measureNames()); err != nil {
		return err
	}
	if (o.write != "" && o.from == "" || o.json) && !o.only.has("kinds") {
		return fmt.Errorf("-only %s excludes the measure kinds, which -write and -json need", o.only)
	}
	return o.kinds.among("kind of probe", kindNames())
}

func (o *options) run() error {
	if err := o.check(); err != nil {
		return err
	}
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	if o.from != "" {
		return replaceFrom(wd, o.write, o.from)
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("recording needs root: use sudo")
	}
	b := &bench{options: *o, root: wd, started: time.Now(),
		bin: filepath.Join(wd, "bin"), targets: filepath.Join(wd, ".cache", "targets")}
	rows, err := b.measure()
	if err != nil {
		return err
	}
	return printRows(os.Stdout, rows)
}

// measure takes the selected measures.
func (b *bench) measure() (rows []row, err error) {
	for _, m := range measures {
		if !b.only.has(m.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: %s\n", m.name)
		if b.dir, err = os.MkdirTemp(b.tmp, "bench"); err != nil {
			return nil, err
		}
		measured, err := m.run(b)
		os.RemoveAll(b.dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		rows = append(rows, measured...)
	}
	return rows, nil
}

func measureNames() (names []string) {
	for _, m := range measures {
		names = append(names, m.name)
	}
	return names
}
