// Package histogram groups hits by keys, as perf report does, with a call tree below
// each group.
package histogram

import (
	"trapline/analysis"
)

// Options say how samples become a histogram.
type Options struct {
	Keys []Key
	// Children adds to each entry the hits below it in the call graph: entries
	// for all functions of the stacks, not only for the innermost ones. Stand-ins for
	// missing callers have none: trees show where callers are missing.
	Children bool
	// DSOs and Symbols keep the entries of these images and functions.
	DSOs, Symbols []string
	MaxStack      int    // calls of a stack that count, from the innermost; 0: all
	Total         uint64 // the weight that shares are of; 0: that of the samples
	Tree          *TreeOptions
}

// TreeOptions ask for a call tree below each entry.
type TreeOptions struct {
	// Caller starts trees at the outermost caller, and otherwise at the innermost
	// call.
	Caller bool
	// MinShare leaves out nodes below this share (0 to 1) of the histogram's total, or
	// of their entry with Relative.
	MinShare float64
	Relative bool
}

// A Histogram is hits grouped by sort keys.
type Histogram struct {
	Keys    []Key
	Samples uint64   // hits of all samples
	Sum     uint64   // their weight
	Entries []*Entry // by weight, the heaviest first, then by name
}

// An Entry is one group.
type Entry struct {
	Cells []Cell // one for each key
	// Self is the weight of the hits whose innermost call is the entry's; Total
	// adds those that have it as a caller. Without Children they are equal.
	Self, Total         uint64
	SelfHits, TotalHits uint64
	Tree                *analysis.Tree // nil: the entry has none
}

// A Cell is the value of one key.
type Cell struct {
	Text   string
	Value  *analysis.Value // of KeyArg; nil: the probe has no such argument
	ID     uint32          // PID, TID or CPU
	Kernel bool            // of KeySymbol: a function of the kernel
}
