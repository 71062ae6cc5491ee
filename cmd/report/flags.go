package main

import (
	"errors"
	"fmt"
	"strings"

	"trapline/cmd/internal/captures"
	"trapline/cmd/internal/cli"
)

const footer = `
Sort keys: comm, pid, tid, dso, symbol, srcline, cpu, probe, and the name of any
argument (next_comm, or sched_switch.next_comm of one probe).

Examples:
  report                                        call graphs of all probes in trapline.data
  report --no-children -s symbol,comm -n        hits by innermost function
  report -s sched_switch.next_comm -g none      which tasks were switched to
  report -g callee -S vfs_read                  who calls vfs_read
  report --events --pid 1234                    the hits of a process, one by one
  ssh host sudo record -e sched:sched_switch -ag --duration 5 -o - | report -i -
`

// newFlags defines all flags and returns the questions of the views.
func newFlags(o *options) (*cli.Flags, []question) {
	f := cli.NewFlags("report", "report [options] [-i FILE|-]...", footer, false)
	g := f.Group("Input and kind of report")
	g.StringArrayVarP(&o.inputs, "input", "i", nil, "`FILE` to read, - for standard input; repeat to merge captures (default "+captures.Default+")")
	for _, v := range views {
		var asked *bool
		if v.name != "" {
			asked = g.Bool(v.name, false, v.help)
		}
		o.asked = append(o.asked, asked)
	}
	g.BoolVar(&o.json, "json", false, "print JSON instead of text")
	g.Bool("stdio", true, "print text (the default)")
	g.BoolVarP(&o.quiet, "quiet", "q", false, "print no header and no warnings")

	var questions []question
	for _, v := range views {
		questions = append(questions, v.new(f))
	}

	g = f.Group("Stacks and names")
	g.StringVarP(&o.graph, "call-graph", "g", "", "call trees (`STYLE`): graph|fractal|flat|folded|none,MIN,caller|callee,percent|period|count (default graph,0.5, or none if a sort key is an argument)")
	g.Lookup("call-graph").NoOptDefVal = "graph"
	g.BoolVar(&o.demangle, "demangle", true, "demangle names of C++ and Rust functions")
	g.BoolVar(&o.noDemangle, "no-demangle", false, "keep mangled names")

	o.filter.Flags(f.Group("Filters"))
	return f, questions
}

// choose returns the index of the requested view.
func (o *options) choose(args []string) (int, error) {
	if len(args) > 0 {
		return 0, fmt.Errorf("unexpected argument %q; name captures with -i", args[0])
	}
	chosen, asked, other := 0, 0, []string{}
	for i, v := range views {
		if o.asked[i] == nil {
			if asked == 0 {
				chosen = i
			}
			continue
		}
		other = append(other, "--"+v.name)
		if *o.asked[i] {
			chosen = i
			asked++
		}
	}
	if asked > 1 {
		last := len(other) - 1
		return 0, errors.New(strings.Join(other[:last], ", ") + " and " + other[last] + " exclude each other")
	}
	return chosen, nil
}
