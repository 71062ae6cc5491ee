package analysis

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// A KeyKind is a property that hits are grouped by. The meanings are perf's.
type KeyKind uint8

const (
	KeyComm KeyKind = iota
	KeyPID
	KeyTID
	KeyDSO
	KeySymbol
	KeySrcline
	KeyCPU
	KeyProbe
	KeyArg
)

// A SortKey is one column that a histogram groups by.
type SortKey struct {
	Kind KeyKind
	Arg  string // of KeyArg, as in Query.Args
}

var keyKinds = map[string]KeyKind{
	"comm": KeyComm, "pid": KeyPID, "tid": KeyTID, "dso": KeyDSO, "symbol": KeySymbol, "sym": KeySymbol,
	"srcline": KeySrcline, "cpu": KeyCPU, "probe": KeyProbe,
}

// ParseSort parses a list of sort keys: comm,dso,symbol. A word that is no key is the
// name of an argument.
func ParseSort(s string) ([]SortKey, error) {
	var keys []SortKey
	for word := range strings.SplitSeq(s, ",") {
		word = strings.TrimSpace(word)
		if word == "" {
			return nil, fmt.Errorf("sort keys %q: an empty key; write them like comm,dso,symbol", s)
		}
		key := SortKey{Kind: KeyArg, Arg: word}
		if kind, ok := keyKinds[word]; ok {
			key = SortKey{Kind: kind}
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// PerCall reports whether the key looks at a call of the stack and not at the hit.
func (k SortKey) PerCall() bool {
	return k.Kind == KeyDSO || k.Kind == KeySymbol || k.Kind == KeySrcline
}

// HistogramOptions say how samples become a histogram.
type HistogramOptions struct {
	Keys []SortKey
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
	Keys    []SortKey
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
	Tree                []*Node // heaviest first
}

// A Cell is the value of one key.
type Cell struct {
	Text   string
	Value  *Value // of KeyArg; nil: the probe has no such argument
	ID     uint32 // PID, TID or CPU
	Kernel bool   // of KeySymbol: a function of the kernel
}

// A Node is one function of a call tree.
type Node struct {
	Call     *Call
	Weight   uint64 // of the hits that pass through
	Hits     uint64
	Self     uint64 // weight of the hits that end here
	SelfHits uint64
	Children []*Node // heaviest first
}

// NewHistogram groups samples, which must have been counted by what the keys look
// at. It goes through them more than once and does not change them.
func NewHistogram(samples iter.Seq[*Sample], opt HistogramOptions) *Histogram {
	b := newGrouping(opt)
	for s := range samples {
		b.add(s)
	}
	return b.finish(samples)
}

// String returns the key as sort keys are written.
func (k SortKey) String() string {
	for name, kind := range keyKinds {
		if kind == k.Kind && name != "sym" {
			return name
		}
	}
	return k.Arg
}
