package export

import (
	"math"

	"trapline/analysis"
	"trapline/format"
)

// weights returns the sums of the requested arguments over the hits of a sample. A
// probe without the argument counts as 0.
func weights(s *analysis.Sample) []int64 {
	w := make([]int64, len(s.Args))
	for i, v := range s.Args {
		w[i] = weigh(v, s.Hits)
	}
	return w
}

// weigh returns hits times the value of an argument, clamped to int64. Text and
// code addresses count as 0.
func weigh(v analysis.Value, hits uint64) int64 {
	if v.Field == nil || v.State == analysis.ValueUnread || !isNumber(v.Field.Type) {
		return 0
	}
	if n := int64(v.Number); n < 0 && v.Field.Type == format.FieldInt {
		return -times(uint64(-n), hits)
	}
	return times(v.Number, hits)
}

// weighArg returns the value of the named argument of a hit.
func weighArg(e *analysis.Event, name string) int64 {
	field, element, ok := analysis.MatchArg(e.Probe, name)
	if !ok || field >= len(e.Args) {
		return 0
	}
	v := e.Args[field]
	if element > 0 && element < len(v.Numbers) {
		v.Number = v.Numbers[element]
	}
	return weigh(v, 1)
}

func isNumber(t format.FieldType) bool {
	return t != format.FieldString && t != format.FieldBytes && t != format.FieldSymbol
}

func times(a, b uint64) int64 {
	if a != 0 && b > math.MaxInt64/a {
		return math.MaxInt64
	}
	return int64(a * b)
}

func plus(a, b int64) int64 {
	switch s := a + b; {
	case a > 0 && b > 0 && s < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && s >= 0:
		return math.MinInt64
	default:
		return s
	}
}
