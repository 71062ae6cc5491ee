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

// histograms is the question of histograms with call graphs.
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
	graph graphSpec // -g, adjusted to the keys
}

func newHistograms(f *cli.Flags) question {
	h := &histograms{flags: f}
	g := f.Group("Histograms")
	g.StringVarP(&h.sort, "sort", "s", "comm,dso,symbol", "group by these `KEYS`")
	g.BoolVarP(&h.samples, "show-nr-samples", "n", false, "show the number of hits")
	g.BoolVarP(&h.inverted, "inverted", "G", false, "draw call trees from the outermost caller inwards")
	g.BoolVar(&h.children, "children", true, "count hits for all functions of their stacks")
	g.BoolVar(&h.noChildren, "no-children", false, "count hits only for their innermost function")
	g.IntVar(&h.maxStack, "max-stack", 0, "consider only the `N` innermost calls of a stack")
	g.Float64Var(&h.limit, "percent-limit", 0, "leave out entries below this `PERCENTAGE`")
	g.StringVar(&h.percentage, "percentage", "absolute", "`BASE` of shares: what the filters keep (relative) or all hits (absolute)")
	g.StringVarP(&h.separator, "field-separator", "t", "", "separate columns by `SEP` instead of aligning them")
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
	// perf draws trees below every entry. Below the values of an argument they
	// would hide the values, and cost a count for each pair of value and stack.
	byArg := slices.ContainsFunc(h.keys, func(k histogram.Key) bool { return k.Kind == histogram.KeyArg })
	if byArg && !h.flags.Changed("call-graph") && !h.inverted {
		h.graph.kind = render.GraphNone
	}
	// The order of perf: from the callers with --children and -G, otherwise from
	// the innermost function.
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

// ask counts hits by what the keys need.
func (h *histograms) ask(r *report) (*analysis.Result, error) {
	// -d and -S select entries of the histogram, not hits.
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

// checkArgs checks that each sort key is a known word or an argument.
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

// sections groups the samples and chooses the layout.
func (h *histograms) sections(r *report, result *analysis.Result) ([]*histogram.Section, render.Style) {
	// Without stacks, or keys that depend on them, callers have nothing to add, and
	// one share is enough.
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
