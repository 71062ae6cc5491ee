package main

import (
	"bufio"
	"errors"

	"trapline/analysis"
	"trapline/analysis/render"
	"trapline/cmd/internal/cli"
)

var eventsView = view{
	name: "events", help: "list hits in time order",
	instead: "use convert -t ndjson",
	new:     func(*cli.Flags) question { return events{} },
}

type events struct{}

func (events) resolve(*report) error { return nil }

func (events) text(r *report, w *bufio.Writer) error {
	stacks := r.graph.kind != render.GraphNone
	printer := render.NewEvents(w, stacks)
	query := analysis.Query{Filter: r.filter, NoDemangle: r.opt.leaveMangled(), Kernel: stacks, User: stacks}
	var failed error
	result, err := analysis.Each(r.inputs.List, query, func(e *analysis.Event) bool {
		failed = printer.Write(e)
		return failed == nil
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	r.known(result)
	return nil
}
