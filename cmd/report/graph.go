package main

import (
	"fmt"
	"strconv"
	"strings"

	"trapline/analysis/render"
)

// A graphSpec is a parsed value of -g. As in perf, its words may come in any order.
type graphSpec struct {
	kind    render.GraphKind
	value   render.GraphValue
	min     float64 // percent
	caller  bool
	ordered bool // caller or callee was given
}

var graphKinds = map[string]render.GraphKind{
	"none": render.GraphNone, "graph": render.GraphTree, "fractal": render.GraphFractal,
	"flat": render.GraphFlat, "folded": render.GraphFolded,
}

var graphValues = map[string]render.GraphValue{
	"percent": render.ValuePercent, "period": render.ValuePeriod, "count": render.ValueCount,
}

// parseGraph parses graph|fractal|flat|folded|none,MIN,caller|callee,percent|period|count.
func parseGraph(s string) (graphSpec, error) {
	g := graphSpec{kind: render.GraphTree, min: 0.5}
	if s == "" {
		return g, nil
	}
	for word := range strings.SplitSeq(s, ",") {
		if !g.word(word) {
			return g, fmt.Errorf("-g %s: %q is not one of graph, fractal, flat, folded, none, a percentage, caller, callee, percent, period and count", s, word)
		}
	}
	return g, nil
}

func (g *graphSpec) word(word string) bool {
	if kind, ok := graphKinds[word]; ok {
		g.kind = kind
		return true
	}
	if value, ok := graphValues[word]; ok {
		g.value = value
		return true
	}
	switch word {
	case "caller", "callee":
		g.caller, g.ordered = word == "caller", true
		return true
	case "function":
		return true // the only way to group calls here, and the default of perf
	}
	n, err := strconv.ParseFloat(word, 64)
	if err != nil || !(n >= 0 && n <= 100) {
		return false
	}
	g.min = n
	return true
}

// joinGraphValues rewrites "-g caller" as "-g=caller". The value of -g is optional,
// and pflag accepts optional values only after an equals sign, but users of perf
// type a space.
func joinGraphValues(args []string) []string {
	out := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(out, args[i:]...)
		}
		isGraph := arg == "--call-graph" || strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") &&
			strings.HasSuffix(arg, "g") && strings.Trim(arg[1:], "gGnq") == ""
		if isGraph && i+1 < len(args) {
			if _, err := parseGraph(args[i+1]); err == nil && args[i+1] != "" {
				i++
				arg += "=" + args[i]
			}
		}
		out = append(out, arg)
	}
	return out
}
