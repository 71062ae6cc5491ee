package main

import (
	"errors"
	"fmt"
	"strings"

	"trapline/analysis/export"
	"trapline/cmd/internal/captures"
	"trapline/cmd/internal/cli"
)

// options are the checked options of a run.
type options struct {
	inputs []string
	output string
	format *export.Format
	list   bool
	quiet  bool

	request export.Request
}

const synopsis = `convert [-i IN|-]... [-o OUT|-] [-t FORMAT] [options]`

const examples = `Examples:
  convert -o profile.pb.gz && go tool pprof -http=: profile.pb.gz
  convert -o graph.svg --comms postgres --title "commits"
  convert -t folded -o - | flamegraph.pl > graph.svg
  convert -i a.data -i b.data --stacks -o hits.ndjson
  convert -t pprof --labels --weight bytes_alloc -o heap.pb.gz`

func newFlags() (*cli.Flags, *rawOptions) {
	raw := &rawOptions{}
	f := cli.NewFlags("convert", synopsis, examples, false)

	g := f.Group("Files")
	g.StringArrayVarP(&raw.inputs, "input", "i", nil, "`FILE` to read, - for standard input; repeat to merge captures (default "+captures.Default+")")
	g.StringVarP(&raw.output, "output", "o", "", "`FILE` to write, - for standard output")
	g.StringVarP(&raw.format, "to", "t", "", "`FORMAT`: "+strings.Join(formatNames(), ", ")+" (default: by the suffix of the output file)")
	g.BoolVar(&raw.list, "list", false, "list the formats and exit")
	g.BoolVarP(&raw.quiet, "quiet", "q", false, "print no progress and no warnings")

	raw.filter.Flags(f.Group("Filters"))

	g = f.Group("All formats")
	g.BoolVar(&raw.noDemangle, "no-demangle", false, "keep mangled C++ and Rust names")

	g = f.Group("pprof, folded and flamegraph")
	g.StringArrayVar(&raw.weights, "weight", nil, "sum of this integer `ARG` instead of hits; pprof: in addition to hits, repeatable")
	g.BoolVar(&raw.labels, "labels", false, "pprof: add arguments as labels of the samples")
	g.BoolVar(&raw.annotate, "annotate", true, "folded: mark kernel calls with _[k] and inlined calls with _[i]")

	g = f.Group("flamegraph")
	g.StringVar(&raw.title, "title", "", "heading `TEXT` (default: names of the probes)")
	g.BoolVar(&raw.reverse, "reverse", false, "merge stacks from their innermost calls")
	g.BoolVar(&raw.icicle, "icicle", false, "draw the root at the top")
	g.Float64Var(&raw.minWidth, "min-width", 0, "leave out calls below this `PERCENTAGE` of the total")

	g = f.Group("ndjson and csv")
	g.BoolVar(&raw.stacks, "stacks", false, "include the stacks of each hit")
	return f, raw
}

// rawOptions are the values of the flags as given.
type rawOptions struct {
	inputs                                    []string
	output, format, title                     string
	filter                                    captures.Filter
	weights                                   []string
	minWidth                                  float64
	list, quiet, noDemangle                   bool
	labels, annotate, reverse, icicle, stacks bool
}

// understand checks the values, individually and together.
func (raw *rawOptions) understand(operands []string, terminal bool) (o options, err error) {
	o = options{
		inputs: raw.inputs, output: raw.output, list: raw.list, quiet: raw.quiet,
		request: export.Request{
			NoDemangle: raw.noDemangle,
			Weights:    raw.weights,
			Labels:     raw.labels,
			Annotate:   raw.annotate,
			Stacks:     raw.stacks,
			Title:      raw.title,
			Reverse:    raw.reverse,
			Icicle:     raw.icicle,
			MinWidth:   raw.minWidth,
		},
	}
	if o.list {
		return o, nil
	}
	if len(operands) > 0 {
		return o, fmt.Errorf("unexpected argument %q: name captures with -i and the output with -o", operands[0])
	}
	if !(raw.minWidth >= 0 && raw.minWidth <= 100) {
		return o, fmt.Errorf("--min-width %v is not a percentage from 0 to 100", raw.minWidth)
	}
	if o.request.Filter, err = raw.filter.Parse(); err != nil {
		return o, err
	}
	if err := raw.understandFormat(&o, terminal); err != nil {
		return o, err
	}
	if len(raw.weights) > 1 && o.format.Name != "pprof" {
		return o, fmt.Errorf("--weight is given %d times, but %s takes only one", len(raw.weights), o.format.Name)
	}
	return o, nil
}

// understandFormat determines format and output. Standard output is never the
// default on a terminal, since output for programs is long.
func (raw *rawOptions) understandFormat(o *options, terminal bool) error {
	var ok bool
	switch {
	case raw.format != "":
		if o.format, ok = export.Lookup(raw.format); !ok {
			return fmt.Errorf("unknown format %q; choose one of %s", raw.format, strings.Join(formatNames(), ", "))
		}
	case o.output == "":
		return errors.New("no output: name a file with -o or a format with -t")
	case o.output == "-":
		return errors.New("-o - needs a format: choose one with -t")
	default:
		if o.format, ok = export.ForFile(o.output); !ok {
			return fmt.Errorf("no format has the suffix of %s: choose one with -t (%s)", o.output, strings.Join(formatNames(), ", "))
		}
	}
	if o.output == "" {
		o.output = "-"
		if terminal {
			return fmt.Errorf("%s is not printed on a terminal: name a file with -o", o.format.Name)
		}
	}
	if o.output == "-" && terminal && o.format.Binary {
		return fmt.Errorf("%s is binary and not printed on a terminal: name a file with -o or redirect standard output", o.format.Name)
	}
	return nil
}

func formatNames() []string {
	var names []string
	for _, f := range export.Formats {
		names = append(names, f.Name)
	}
	return names
}
