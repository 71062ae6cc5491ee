package main

import (
	"trapline/analysis"
	"trapline/cmd/internal/captures"
	"trapline/cmd/internal/cli"
)

// A report is one run of the command: what its views share.
type report struct {
	env    cli.Env
	opt    options
	filter analysis.Filter
	graph  graphSpec
	inputs *captures.Inputs
}

// known clears the progress line and prints warnings. Views call it once all
// captures are read.
func (r *report) known(result *analysis.Result) {
	r.inputs.Progress.Clear()
	if !r.opt.quiet {
		captures.Warn(r.env, &result.Quality)
	}
}

// survey asks what the captures say about themselves, and about the completeness of
// stacks if stacks is set.
func (r *report) survey(stacks bool) (*analysis.Result, error) {
	result, err := analysis.Survey(r.inputs.List, stacks)
	if err == nil {
		r.known(result)
	}
	return result, err
}
