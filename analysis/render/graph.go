package render

import (
	"bufio"
	"strconv"
	"strings"

	"trapline/analysis"
	"trapline/analysis/histogram"
)

// A graph prints the call tree of an entry in the layout of perf
// (tools/perf/ui/stdio/hist.c).
type graph struct {
	style  *Style
	total  uint64
	entry  *histogram.Entry
	symbol string // in the first column of the entry: the tree need not repeat it
}

const graphMargin = "            "

func (g *graph) write(w *bufio.Writer) {
	switch g.style.Graph {
	case GraphFlat:
		g.flat(w)
	case GraphFolded:
		g.folded(w)
	default:
		g.tree(w)
	}
	w.WriteByte('\n')
}

func (g *graph) tree(w *bufio.Writer) {
	t, parent, margin := g.entry.Tree, int32(0), graphMargin
	// A single top node that has all hits of the entry needs no share: it is drawn
	// as a stem.
	if top := &t.Nodes[t.Nodes[0].First]; top.Next == 0 && top.Weight == g.entry.Total {
		run := g.stem(t.Nodes[0].First)
		parent = run[len(run)-1]
		if top.Name() == g.symbol {
			run = run[1:]
		}
		for i, n := range run {
			if i == 0 {
				w.WriteString(margin + "|\n" + margin + "---")
				margin += "   "
			} else {
				w.WriteString(margin)
			}
			w.WriteString(label(&t.Nodes[n]) + "\n")
		}
	}
	g.branches(w, parent, margin, g.entry.Total)
}

// stem returns node n and its descendants as long as a single child has all hits.
func (g *graph) stem(n int32) []int32 {
	nodes := g.entry.Tree.Nodes
	run := []int32{n}
	for {
		child := nodes[n].First
		if child == 0 || nodes[child].Next != 0 || nodes[child].Weight != nodes[n].Weight {
			return run
		}
		n = child
		run = append(run, n)
	}
}

// branches draws the children of a node below each other. Fractal shares are
// relative to parentWeight.
func (g *graph) branches(w *bufio.Writer, parent int32, prefix string, parentWeight uint64) {
	nodes := g.entry.Tree.Nodes
	for n := range g.entry.Tree.Children(parent) {
		writeLine(w, prefix+"|")
		bar := "|"
		if nodes[n].Next == 0 {
			bar = " "
		}
		run := g.stem(n)
		for j, m := range run {
			if j == 0 {
				w.WriteString(prefix + bar + "--" + g.value(nodes[n].Weight, nodes[n].Hits, parentWeight) + "--" + label(&nodes[m]) + "\n")
				continue
			}
			w.WriteString(prefix + bar + "          " + label(&nodes[m]) + "\n")
		}
		g.branches(w, run[len(run)-1], prefix+bar+"          ", nodes[n].Weight)
	}
}

func writeLine(w *bufio.Writer, s string) {
	w.WriteString(strings.TrimRight(s, " ") + "\n")
}

func (g *graph) value(weight, hits, parentWeight uint64) string {
	switch {
	case g.style.Value == ValuePeriod:
		return strconv.FormatUint(weight, 10)
	case g.style.Value == ValueCount:
		return strconv.FormatUint(hits, 10)
	case g.style.Graph == GraphFractal:
		return string(appendShare(nil, weight, parentWeight))
	}
	return string(appendShare(nil, weight, g.total))
}

func label(n *analysis.Node) string {
	name := clean(n.Name())
	if n.Call != nil && n.Call.Inlined {
		name += " (inlined)"
	}
	return name
}

// flat prints the heaviest complete stacks, one call per line.
func (g *graph) flat(w *bufio.Writer) {
	g.leaves(func(value string, path []*analysis.Node) {
		w.WriteString(graphMargin + "   " + value + "\n")
		for _, n := range path {
			w.WriteString(graphMargin + "        " + label(n) + "\n")
		}
		w.WriteByte('\n')
	})
}

// folded prints the heaviest complete stacks, one stack per line.
func (g *graph) folded(w *bufio.Writer) {
	g.leaves(func(value string, path []*analysis.Node) {
		names := make([]string, len(path))
		for i, n := range path {
			// Names must not contain the separator.
			names[i] = strings.ReplaceAll(label(n), ";", ":")
		}
		w.WriteString(value + " " + strings.Join(names, ";") + "\n")
	})
}

// leaves calls f for each path of the tree where hits end.
func (g *graph) leaves(f func(value string, path []*analysis.Node)) {
	t := g.entry.Tree
	var path []*analysis.Node
	var walk func(parent int32)
	walk = func(parent int32) {
		for c := range t.Children(parent) {
			n := &t.Nodes[c]
			path = append(path, n)
			if n.Self > 0 && percent(n.Self, g.total) >= g.style.MinPercent {
				f(g.value(n.Self, n.SelfHits, g.entry.Total), path)
			}
			walk(c)
			path = path[:len(path)-1]
		}
	}
	walk(0)
}
