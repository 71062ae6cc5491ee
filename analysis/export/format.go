// Package export writes captures in the formats of other tools. Each format is a
// file of this package and a row of [Formats]. docs/formats.md says what each
// format keeps and drops.
//
// The output depends only on the captures and the options, never on the time, the
// machine or the iteration order of maps.
package export

import (
	"io"

	"trapline/analysis"
)

// A Request says what to export and how. Formats ignore options that they have no
// use for.
type Request struct {
	Inputs     []*analysis.Input
	Filter     analysis.Filter
	NoDemangle bool // keep the function names of the symbol table

	// Weights are names of integer arguments to add up over the hits. In pprof each
	// becomes another sample type; folded and flamegraph use the first one instead
	// of the number of hits.
	Weights []string

	Labels   bool    // pprof: add arguments as labels
	Annotate bool    // folded: mark kernel frames _[k] and inlined calls _[i]
	Stacks   bool    // ndjson, csv: add the stacks of each hit
	Title    string  // flamegraph: heading; "" for the names of the probes
	Reverse  bool    // flamegraph: merge stacks from their innermost calls
	Icicle   bool    // flamegraph: draw the root at the top
	MinWidth float64 // flamegraph: leave out calls below this percentage
}

// A Format is a format to write captures in.
type Format struct {
	Name     string
	Suffixes []string // file name suffixes of this format
	Binary   bool     // must not go to a terminal
	Help     string   // one line: what it is and what reads it

	// Write writes the selected hits to w. It returns errors of reading (see
	// [analysis.Aggregate]) and writing, and an error for a weight that no probe
	// has.
	Write func(w io.Writer, r *Request) (*Summary, error)
}

// A Summary describes what was written, and what is known about the captures.
// Damage that could be skipped is in Quality.
type Summary struct {
	*analysis.Result
	Hits uint64 // hits that passed the filter
}
