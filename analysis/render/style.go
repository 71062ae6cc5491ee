package render

import (
	"strconv"

	"trapline/analysis/histogram"
)

// A GraphKind is a layout of call trees, named as in perf.
type GraphKind uint8

const (
	GraphNone    GraphKind = iota
	GraphTree              // "graph": shares of the total
	GraphFractal           // shares of the parent
	GraphFlat              // one call per line for each stack
	GraphFolded            // one line for each stack
)

// A GraphValue is the number shown at each branch.
type GraphValue uint8

const (
	ValuePercent GraphValue = iota
	ValuePeriod             // the weight
	ValueCount              // the number of hits
)

// Style describes the layout of a histogram.
type Style struct {
	Children     bool // show both shares, of a histogram built with Children
	Samples      bool // show the number of hits
	PercentLimit float64
	// Relative makes shares relative to the hits that pass the filters, instead of
	// all hits.
	Relative  bool
	Separator string // "" for aligned columns
	Graph     GraphKind
	Value     GraphValue
	// MinPercent leaves out lighter lines of GraphFlat and GraphFolded. Trees are
	// already pruned.
	MinPercent float64
}

// total returns the weight that is 100 %.
func (st *Style) total(s *histogram.Section) uint64 {
	if st.Relative {
		return s.Sum
	}
	return max(s.Weight, s.Sum)
}

// appendShare appends a percentage in the format of perf.
func appendShare(dst []byte, part, total uint64) []byte {
	return append(strconv.AppendFloat(dst, percent(part, total), 'f', 2, 64), '%')
}

func percent(part, total uint64) float64 {
	if total == 0 {
		return 0
	}
	return 100 * float64(part) / float64(total)
}
