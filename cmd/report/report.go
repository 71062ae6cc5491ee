package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"trapline/analysis"
	"trapline/analysis/render"
	"trapline/cmd/internal/captures"
	"trapline/cmd/internal/cli"
)

// A report is one run of the command with its options resolved.
type report struct {
	env      cli.Env
	opt      options
	filter   analysis.Filter
	keys     []analysis.SortKey
	graph    graphSpec
	children bool
	inputs   *captures.Inputs
}

func run(ctx context.Context, env cli.Env) int {
	r := &report{env: env}
	flags := newFlags(&r.opt)
	env.Args = joinGraphValues(env.Args)
	if done, code := flags.Parse(env); done {
		return code
	}
	if err := r.resolve(flags); err != nil {
		return env.Usage(err)
	}
	inputs, err := captures.Open(ctx, env, r.opt.inputs, r.opt.quiet)
	if err != nil {
		return env.Fail(cli.ExitUsage, err)
	}
	defer inputs.Close()
	r.inputs = inputs
	if r.opt.events {
		return r.events()
	}
	return r.histograms()
}

func (r *report) resolve(flags *cli.Flags) error {
	o := &r.opt
	if err := o.check(flags.Args()); err != nil {
		return err
	}
	var err error
	if r.filter, err = o.filter.Parse(); err != nil {
		return err
	}
	if r.keys, err = analysis.ParseSort(o.sort); err != nil {
		return err
	}
	if r.graph, err = parseGraph(o.graph); err != nil {
		return err
	}
	// perf draws trees below everything. Below each value of an argument they would
	// hide the values, and cost a count for each pair of value and stack.
	byArg := slices.ContainsFunc(r.keys, func(k analysis.SortKey) bool { return k.Kind == analysis.KeyArg })
	if byArg && !flags.Changed("call-graph") && !o.inverted {
		r.graph.kind = render.GraphNone
	}
	r.children = o.children && !o.noChildren
	// perf's order: from the callers inwards with --children and -G, from the
	// innermost function outwards otherwise.
	switch {
	case o.inverted:
		r.graph.caller = true
	case !r.graph.ordered:
		r.graph.caller = r.children
	}
	return nil
}

func (r *report) events() int {
	w := bufio.NewWriterSize(r.env.Stdout, 64<<10)
	stacks := r.graph.kind != render.GraphNone
	printer := render.NewEvents(w, stacks)
	query := analysis.Query{Filter: r.filter, NoDemangle: r.noDemangle(), Kernel: stacks, User: stacks}
	var failed error
	result, err := analysis.Each(r.inputs.List, query,
		func(e *analysis.Event) bool {
			failed = printer.Write(e)
			return failed == nil
		})
	r.inputs.Progress.Clear()
	if err != nil {
		return r.env.Fail(cli.ExitUsage, err)
	}
	if err := errors.Join(failed, w.Flush()); err != nil {
		return r.env.Fail(cli.ExitOutput, err)
	}
	r.warn(result)
	return cli.ExitOK
}

func (r *report) histograms() int {
	// Images and functions select entries of the histogram, not hits.
	filter := r.filter
	filter.DSOs, filter.Symbols = nil, nil
	query := analysis.QueryFor(r.keys, filter, r.graph.kind != render.GraphNone)
	query.NoDemangle = r.noDemangle()
	if r.opt.headerOnly || r.opt.stats {
		query = analysis.Query{}
	}
	result, err := analysis.Aggregate(r.inputs.List, query)
	r.inputs.Progress.Clear()
	if err != nil {
		return r.env.Fail(cli.ExitUsage, err)
	}
	if err := r.checkArgs(result); err != nil {
		return r.env.Usage(err)
	}
	r.warn(result)
	w := bufio.NewWriterSize(r.env.Stdout, 64<<10)
	if err := errors.Join(r.write(w, result), w.Flush()); err != nil {
		return r.env.Fail(cli.ExitOutput, err)
	}
	return cli.ExitOK
}

func (r *report) write(w *bufio.Writer, result *analysis.Result) error {
	switch {
	case r.opt.headerOnly:
		return render.Header(w, result, true)
	case r.opt.stats:
		return render.Accounts(w, &result.Quality)
	}
	sections, style := r.sections(result)
	if r.opt.json {
		return render.JSON(w, result, sections, style)
	}
	if !r.opt.quiet {
		if err := render.Header(w, result, false); err != nil {
			return err
		}
	}
	return render.Sections(w, sections, style)
}

func (r *report) sections(result *analysis.Result) ([]*analysis.Section, render.Style) {
	// Without stacks, or keys that look at them, there is nothing to add to callers:
	// one share says it all.
	stacks := result.Quality.KernelStacks+result.Quality.UserStacks > 0
	style := render.Style{
		Children:     r.children && stacks && slices.ContainsFunc(r.keys, analysis.SortKey.PerCall),
		Samples:      r.opt.samples,
		PercentLimit: r.opt.limit,
		Relative:     r.opt.percentage == "relative",
		Separator:    r.opt.separator,
		Graph:        r.graph.kind,
		Value:        r.graph.value,
		MinPercent:   r.graph.min,
	}
	opt := analysis.HistogramOptions{
		Keys:     r.keys,
		Children: style.Children,
		DSOs:     r.filter.DSOs,
		Symbols:  r.filter.Symbols,
		MaxStack: r.opt.maxStack,
	}
	if style.Graph != render.GraphNone && stacks {
		opt.Tree = &analysis.TreeOptions{
			Caller:   r.graph.caller,
			MinShare: r.graph.min / 100,
			Relative: style.Graph == render.GraphFractal,
		}
	}
	return analysis.Sections(result, opt), style
}

func (r *report) noDemangle() bool { return r.opt.noDemangle || !r.opt.demangle }

// checkArgs makes sure that each sort key that is not a known word is an argument.
func (r *report) checkArgs(result *analysis.Result) error {
	if r.opt.headerOnly || r.opt.stats {
		return nil
	}
	for _, k := range r.keys {
		if k.Kind != analysis.KeyArg || result.HasArg(k.Arg) {
			continue
		}
		names := result.Args()
		if len(names) == 0 {
			return fmt.Errorf("sort key %q is unknown, and the hits have no arguments", k.Arg)
		}
		const most = 20
		more := ""
		if len(names) > most {
			names, more = names[:most], ", …"
		}
		return fmt.Errorf("sort key %q is unknown; arguments of the hits are %s%s", k.Arg, strings.Join(names, ", "), more)
	}
	return nil
}

func (r *report) warn(result *analysis.Result) {
	if !r.opt.quiet {
		captures.Warn(r.env, &result.Quality)
	}
}
