package main

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"trapline/analysis"
	"trapline/analysis/histogram"
	"trapline/analysis/render"
	"trapline/cmd/internal/cli"
)

var histogramView = view{new: newHistograms}

// histograms has the flags of histograms with call graphs, and what they mean.
type histograms struct {
	sort       string
	samples    bool
	inverted   bool
	children   bool
	noChildren bool
	maxStack   int
	limit      float64
	percentage string
	separator  string

	flags *cli.Flags
	keys  []histogram.Key
	graph graphSpec // of the flag that views share, as it is for these keys
}

func newHistograms(f *cli.Flags) question {
	h := &histograms{flags: f}
	g := f.Group("Histograms")
	g.StringVarP(&h.sort, "sort", "s", "comm,dso,symbol", "keys to group by")
	g.BoolVarP(&h.samples, "show-nr-samples", "n", false, "show the number of hits")
	g.BoolVarP(&h.inverted, "inverted", "G", false, "call trees from the outermost caller inwards")
	g.BoolVar(&h.children, "children", true, "add to each function the hits below it")
	g.BoolVar(&h.noChildren, "no-children", false, "count hits for the innermost function only")
	g.IntVar(&h.maxStack, "max-stack", 0, "look at so many innermost calls of a stack")
	g.Float64Var(&h.limit, "percent-limit", 0, "leave out entries below this percentage")
	g.StringVar(&h.percentage, "percentage", "absolute", "of what, when filters are given: relative (what they keep) or absolute")
	g.StringVarP(&h.separator, "field-separator", "t", "", "separate columns by this and do not align them")
	return h
}

func (h *histograms) resolve(r *report) (err error) {
	switch {
	case h.maxStack < 0:
		return fmt.Errorf("--max-stack %d is negative", h.maxStack)
	case h.percentage != "absolute" && h.percentage != "relative":
		return fmt.Errorf("--percentage %q is neither relative nor absolute", h.percentage)
	}
	if h.keys, err = histogram.ParseKeys(h.sort); err != nil {
		return err
	}
	h.graph = r.graph
	// perf draws trees below everything. Below each value of an argument they would
	// hide the values, and cost a count for each pair of value and stack.
	byArg := slices.ContainsFunc(h.keys, func(k histogram.Key) bool { return k.Kind == histogram.KeyArg })
	if byArg && !h.flags.Changed("call-graph") && !h.inverted {
		h.graph.kind = render.GraphNone
	}
	// perf's order: from the callers inwards with --children and -G, from the
	// innermost function outwards otherwise.
	switch {
	case h.inverted:
		h.graph.caller = true
	case !h.graph.ordered:
		h.graph.caller = h.children && !h.noChildren
	}
	return nil
}

func (h *histograms) text(r *report, w *bufio.Writer) error {
	result, err := h.ask(r)
	if err != nil {
		return err
	}
	sections, style := h.sections(r, result)
	if !r.opt.quiet {
		if err := render.Header(w, result, false); err != nil {
			return err
		}
	}
	return render.Sections(w, sections, style)
}

func (h *histograms) json(r *report, w *bufio.Writer) error {
	result, err := h.ask(r)
	if err != nil {
		return err
	}
	sections, style := h.sections(r, result)
	return render.SectionsJSON(w, result, sections, style)
}

// ask counts hits by what the keys look at.
func (h *histograms) ask(r *report) (*analysis.Result, error) {
	// Images and functions select entries of the histogram, not hits.
	filter := r.filter
	filter.DSOs, filter.Symbols = nil, nil
	query := histogram.QueryFor(h.keys, filter, h.graph.kind != render.GraphNone)
	query.NoDemangle = r.opt.leaveMangled()
	result, err := analysis.Aggregate(r.inputs.List, query)
	if err != nil {
		return nil, err
	}
	if err := h.checkArgs(result); err != nil {
		return nil, err
	}
	r.known(result)
	return result, nil
}

// checkArgs makes sure that each sort key that is not a known word is an argument.
func (h *histograms) checkArgs(result *analysis.Result) error {
	for _, k := range h.keys {
		if k.Kind != histogram.KeyArg || result.HasArg(k.Arg) {
			continue
		}
		names := result.Args()
		if len(names) == 0 {
			return usageError(fmt.Sprintf("sort key %q is unknown, and the hits have no arguments", k.Arg))
		}
		const most = 20
		more := ""
		if len(names) > most {
			names, more = names[:most], ", …"
		}
		return usageError(fmt.Sprintf("sort key %q is unknown; arguments of the hits are %s%s", k.Arg, strings.Join(names, ", "), more))
	}
	return nil
}

// sections groups what was counted, and says how to lay it out.
func (h *histograms) sections(r *report, result *analysis.Result) ([]*histogram.Section, render.Style) {
	// Without stacks, or keys that look at them, there is nothing to add to callers:
	// one share says it all.
	stacks := result.Quality.KernelStacks+result.Quality.UserStacks > 0
	style := render.Style{
		Children:     h.children && !h.noChildren && stacks && slices.ContainsFunc(h.keys, histogram.Key.PerCall),
		Samples:      h.samples,
		PercentLimit: h.limit,
		Relative:     h.percentage == "relative",
		Separator:    h.separator,
		Graph:        h.graph.kind,
		Value:        h.graph.value,
		MinPercent:   h.graph.min,
	}
	opt := histogram.Options{
		Keys:     h.keys,
		Children: style.Children,
		DSOs:     r.filter.DSOs,
		Symbols:  r.filter.Symbols,
		MaxStack: h.maxStack,
	}
	if style.Graph != render.GraphNone && stacks {
		opt.Tree = &histogram.TreeOptions{
			Caller:   h.graph.caller,
			MinShare: h.graph.min / 100,
			Relative: style.Graph == render.GraphFractal,
		}
	}
	return histogram.Sections(result, opt), style
}
