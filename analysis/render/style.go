package render

import (
	"strconv"

	"trapline/analysis/histogram"
)

// A GraphKind is a way to show call trees; the names are perf's.
type GraphKind uint8

const (
	GraphNone    GraphKind = iota
	GraphTree              // "graph": shares are of the total
	GraphFractal           // shares are of the parent
	GraphFlat              // one list for each stack
	GraphFolded            // one line for each stack
)

// A GraphValue is the figure shown with each branch.
type GraphValue uint8

const (
	ValuePercent GraphValue = iota
	ValuePeriod             // the weight
	ValueCount              // the number of hits
)

// Style says how a histogram is laid out.
type Style struct {
	Children     bool // the histogram was made with Children: show both shares
	Samples      bool // show the number of hits
	PercentLimit float64
	// Relative takes the hits that pass the filters for 100 %, and not all hits.
	Relative  bool
	Separator string // "": aligned columns
	Graph     GraphKind
	Value     GraphValue
	// MinPercent leaves lines of GraphFlat and GraphFolded out that are lighter.
	// Trees have been cut so when they were built.
	MinPercent float64
}

// total returns the weight that is 100 %.
func (st *Style) total(s *histogram.Section) uint64 {
	if st.Relative {
		return s.Sum
	}
	return max(s.Weight, s.Sum)
}

// appendShare writes a percentage as perf does.
func appendShare(dst []byte, part, total uint64) []byte {
	return append(strconv.AppendFloat(dst, percent(part, total), 'f', 2, 64), '%')
}

func percent(part, total uint64) float64 {
	if total == 0 {
		return 0
	}
	return 100 * float64(part) / float64(total)
}
