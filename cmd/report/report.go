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

// known takes note of what is known of the captures, now that they have been read.
func (r *report) known(result *analysis.Result) {
	r.inputs.Progress.Clear()
	if !r.opt.quiet {
		captures.Warn(r.env, &result.Quality)
	}
}

// survey asks what the captures say about themselves, and about stacks if it matters.
func (r *report) survey(stacks bool) (*analysis.Result, error) {
	result, err := analysis.Survey(r.inputs.List, stacks)
	if err == nil {
		r.known(result)
	}
	return result, err
}
