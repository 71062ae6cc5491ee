// Package export writes captures in the formats that other tools read. Each
// format is one row of [Formats] and one file of this package; docs/formats.md
// says what each keeps and drops.
//
// The bytes depend on the captures and the options alone: never on the time, the
// machine, or the order in which maps are walked.
package export

import (
	"io"

	"trapline/analysis"
)

// A Request says what to export and how. Options that a format has no use for
// are ignored by it.
type Request struct {
	Inputs     []*analysis.Input
	Filter     analysis.Filter
	NoDemangle bool // leave function names as they were linked

	// Weights are names of integer arguments to add up over the hits: in pprof
	// each is one more sample type; folded and flamegraph take the first one
	// instead of counting hits.
	Weights []string

	Labels   bool    // pprof: arguments as labels of the samples
	Annotate bool    // folded: mark kernel frames _[k] and inlined calls _[i]
	Stacks   bool    // ndjson, csv: stacks of every hit
	Title    string  // flamegraph: heading; empty for one made from the capture
	Reverse  bool    // flamegraph: merge stacks from their innermost calls
	Icicle   bool    // flamegraph: root at the top
	MinWidth float64 // flamegraph: leave out calls with less than this percentage of the total
}

// A Format is one way to write captures.
type Format struct {
	Name     string
	Suffixes []string // of file names that mean this format
	Binary   bool     // not for terminals
	Help     string   // one line: what it is and who reads it

	// Write writes what the request selects to w. Its errors are those of the
	// captures ([analysis.Aggregate]) and of w, and weights that no probe has.
	Write func(w io.Writer, r *Request) (*Summary, error)
}

// A Summary says what was written, and what is known of the captures: damage that
// could be skipped is in Quality.
type Summary struct {
	*analysis.Result
	Hits uint64 // that passed the filter
}
