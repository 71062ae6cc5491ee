// Package histogram groups hits by sort keys, as perf report does, with a call tree
// below each group.
package histogram

import (
	"trapline/analysis"
)

// Options control how samples become a histogram.
type Options struct {
	Keys []Key
	// Children counts each hit for all functions of its stack, not only for the
	// innermost one. Stand-ins for missing callers get no entries; trees show where
	// callers are missing.
	Children bool
	// DSOs and Symbols keep only the entries of these images and functions.
	DSOs, Symbols []string
	MaxStack      int    // consider only this many innermost calls; 0 for all
	Total         uint64 // the weight that is 100 %; 0 for that of the samples
	Tree          *TreeOptions
}

// TreeOptions ask for a call tree below each entry.
type TreeOptions struct {
	// Caller starts trees at the outermost caller instead of the innermost call.
	Caller bool
	// MinShare leaves out nodes below this share (0 to 1) of the total of the
	// histogram, or of their entry if Relative is set.
	MinShare float64
	Relative bool
}

// A Histogram is a set of hits grouped by sort keys.
type Histogram struct {
	Keys    []Key
	Samples uint64   // number of hits
	Sum     uint64   // their weight
	Entries []*Entry // by weight, heaviest first, then by name
}

// An Entry is one group of hits.
type Entry struct {
	Cells []Cell // parallel to the keys
	// Self is the weight of the hits whose innermost call belongs to the entry.
	// Total adds the hits with such a call anywhere in the stack. Without Children
	// they are equal.
	Self, Total         uint64
	SelfHits, TotalHits uint64
	Tree                *analysis.Tree // nil if the entry has none
}

// A Cell is the value of one key.
type Cell struct {
	Text   string
	Value  *analysis.Value // of KeyArg; nil if the probe has no such argument
	ID     uint32          // PID, TID or CPU
	Kernel bool            // of KeySymbol: a kernel function
}
