package main

import (
	"errors"
	"fmt"

	"trapline/cmd/internal/captures"
	"trapline/cmd/internal/cli"
)

const footer = `
Sort keys: comm, pid, tid, dso, symbol, srcline, cpu, probe, and any argument of a
probe (next_comm, sched_switch.next_comm). Without --sort: comm,dso,symbol.

Examples:
  report                                        call graph of every probe in trapline.data
  report --no-children -s symbol,comm -n        hits by innermost function
  report -s sched_switch.next_comm -g none      what was switched to
  report -g callee -S vfs_read                  who calls vfs_read
  report --events --pid 1234                    the hits of a process, one by one
  ssh host sudo record -e sched:sched_switch -ag --duration 5 -o - | report -i -
`

// options are the command line, as it was given.
type options struct {
	inputs     []string
	headerOnly bool
	stats      bool
	events     bool
	json       bool
	quiet      bool

	sort       string
	samples    bool
	graph      string
	inverted   bool
	children   bool
	noChildren bool
	maxStack   int
	limit      float64
	percentage string
	separator  string
	demangle   bool
	noDemangle bool

	filter captures.Filter
}

func newFlags(o *options) *cli.Flags {
	f := cli.NewFlags("report", "report [options] [-i FILE|-]...", footer, false)
	g := f.Group("Input and kind of report")
	g.StringArrayVarP(&o.inputs, "input", "i", nil, "capture to read, - for standard input; repeat to merge (default "+captures.Default+")")
	g.BoolVar(&o.events, "events", false, "list the hits in time order")
	g.BoolVar(&o.headerOnly, "header-only", false, "print only what the captures say about themselves")
	g.BoolVar(&o.stats, "stats", false, "print what became of all hits, by probe and CPU")
	g.BoolVar(&o.json, "json", false, "print the histograms as JSON")
	g.Bool("stdio", true, "print text (this is what happens without it, too)")
	g.BoolVarP(&o.quiet, "quiet", "q", false, "no header and no warnings")

	g = f.Group("Histograms")
	g.StringVarP(&o.sort, "sort", "s", "comm,dso,symbol", "keys to group by")
	g.BoolVarP(&o.samples, "show-nr-samples", "n", false, "show the number of hits")
	g.StringVarP(&o.graph, "call-graph", "g", "", "call trees: graph|fractal|flat|folded|none,MIN,caller|callee,percent|period|count (default graph,0.5; none with arguments as keys)")
	g.Lookup("call-graph").NoOptDefVal = "graph"
	g.BoolVarP(&o.inverted, "inverted", "G", false, "call trees from the outermost caller inwards")
	g.BoolVar(&o.children, "children", true, "add to each function the hits below it")
	g.BoolVar(&o.noChildren, "no-children", false, "count hits for the innermost function only")
	g.IntVar(&o.maxStack, "max-stack", 0, "look at so many innermost calls of a stack")
	g.Float64Var(&o.limit, "percent-limit", 0, "leave out entries below this percentage")
	g.StringVar(&o.percentage, "percentage", "absolute", "of what, when filters are given: relative (what they keep) or absolute")
	g.StringVarP(&o.separator, "field-separator", "t", "", "separate columns by this and do not align them")
	g.BoolVar(&o.demangle, "demangle", true, "show names of C++ and Rust functions as in the source")
	g.BoolVar(&o.noDemangle, "no-demangle", false, "show them as they were linked")

	o.filter.Flags(f.Group("Filters"))
	return f
}

func (o *options) check(args []string) error {
	kinds := 0
	for _, on := range []bool{o.events, o.headerOnly, o.stats} {
		if on {
			kinds++
		}
	}
	switch {
	case len(args) > 0:
		return fmt.Errorf("unexpected argument %q; captures are given with -i", args[0])
	case kinds > 1:
		return errors.New("--events, --header-only and --stats are different reports: choose one")
	case o.events && o.json:
		return errors.New("--json is for histograms; convert -t ndjson writes hits as JSON")
	case o.maxStack < 0:
		return fmt.Errorf("--max-stack %d is negative", o.maxStack)
	case o.percentage != "absolute" && o.percentage != "relative":
		return fmt.Errorf("--percentage %q is neither relative nor absolute", o.percentage)
	}
	return nil
}
