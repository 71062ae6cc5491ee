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
	inputs   []analysis.Input
}

func run(_ context.Context, env cli.Env) int {
	r := &report{env: env}
	flags := newFlags(&r.opt)
	env.Args = joinGraphValues(env.Args)
	if done, code := flags.Parse(env); done {
		return code
	}
	if err := r.resolve(flags); err != nil {
		return env.Usage(err)
	}
	inputs, closeInputs, err := openInputs(env, r.opt.inputs)
	if err != nil {
		return env.Fail(cli.ExitUsage, err)
	}
	defer closeInputs()
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
	if r.filter, err = o.filter(); err != nil {
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
	r.filter.DSOs, r.filter.Symbols = r.opt.dsos, r.opt.symbolList()
	w := bufio.NewWriterSize(r.env.Stdout, 64<<10)
	printer := render.NewEvents(w, r.graph.kind != render.GraphNone)
	var failed error
	result, err := analysis.Each(r.inputs, analysis.Query{Filter: r.filter, NoDemangle: r.noDemangle()},
		func(e *analysis.Event) bool {
			failed = printer.Write(e)
			return failed == nil
		})
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
	query := analysis.QueryFor(r.keys, r.filter, r.graph.kind != render.GraphNone)
	query.NoDemangle = r.noDemangle()
	if r.opt.headerOnly || r.opt.stats {
		query = analysis.Query{}
	}
	progress := r.env.NewProgress()
	result, err := analysis.Aggregate(r.inputs, query, r.progress(progress))
	progress.Clear()
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
		DSOs:     r.opt.dsos,
		Symbols:  r.opt.symbolList(),
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

func (r *report) progress(p *cli.Progress) func(done, total int64) {
	if !p.Enabled() {
		return nil
	}
	shown := int64(-1)
	return func(done, total int64) {
		if total == 0 {
			return
		}
		if percent := 100 * done / total; percent != shown {
			shown = percent
			p.Update(fmt.Sprintf("reading: %d%%", percent))
		}
	}
}

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

// warn says what is missing from the captures. It never stops a report.
func (r *report) warn(result *analysis.Result) {
	if r.opt.quiet {
		return
	}
	const most = 5
	q := &result.Quality
	for i, d := range q.Damage {
		if i == most {
			r.env.Warningf("%d more places are damaged", len(q.Damage)-most)
			break
		}
		r.env.Warningf("%s: damaged at offset %d (%d bytes skipped): %s", d.Input, d.Offset, d.Length, d.Reason)
	}
	for _, name := range q.Truncated {
		r.env.Warningf("%s: the capture ends early: the recording or the copy was cut off; what was whole is shown", name)
	}
	var lost uint64
	for cause, n := range q.Sum() {
		if cause.Lost() {
			lost += n
		}
	}
	if lost > 0 {
		r.env.Warningf("%d hits were lost while recording; report --stats says where and why", lost)
	}
}
