package render

import (
	"bufio"
	"fmt"
	"strings"

	"trapline/analysis"
)

// A graph writes the call tree of one entry, in the layout of perf's
// ui/stdio/hist.c.
type graph struct {
	style  *Style
	total  uint64
	entry  *analysis.Entry
	symbol string // in the entry's first column: a tree need not repeat it as its root
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
	nodes, margin := g.entry.Tree, graphMargin
	// A single root that all of the entry's hits share needs no share of its own:
	// it is drawn as a stem.
	if len(nodes) == 1 && nodes[0].Weight == g.entry.Total {
		run, last := stem(nodes[0])
		if run[0].Call.Name() == g.symbol {
			run = run[1:]
		}
		for i, n := range run {
			if i == 0 {
				w.WriteString(margin + "|\n" + margin + "---")
				margin += "   "
			} else {
				w.WriteString(margin)
			}
			w.WriteString(label(n) + "\n")
		}
		nodes = last.Children
	}
	g.branches(w, nodes, margin, g.entry.Total)
}

// stem returns the nodes from n on that all of n's hits run through, and the last
// of them.
func stem(n *analysis.Node) ([]*analysis.Node, *analysis.Node) {
	run := []*analysis.Node{n}
	for len(n.Children) == 1 && n.Children[0].Weight == n.Weight {
		n = n.Children[0]
		run = append(run, n)
	}
	return run, n
}

// branches draws the nodes below each other. parent is the weight that fractal
// shares are of.
func (g *graph) branches(w *bufio.Writer, nodes []*analysis.Node, prefix string, parent uint64) {
	for i, n := range nodes {
		writeLine(w, prefix+"|")
		bar := "|"
		if i == len(nodes)-1 {
			bar = " "
		}
		run, last := stem(n)
		for j, m := range run {
			if j == 0 {
				w.WriteString(prefix + bar + "--" + g.value(n, parent) + "--" + label(m) + "\n")
				continue
			}
			w.WriteString(prefix + bar + "          " + label(m) + "\n")
		}
		g.branches(w, last.Children, prefix+bar+"          ", n.Weight)
	}
}

func writeLine(w *bufio.Writer, s string) {
	w.WriteString(strings.TrimRight(s, " ") + "\n")
}

func (g *graph) value(n *analysis.Node, parent uint64) string {
	switch {
	case g.style.Value == ValuePeriod:
		return fmt.Sprint(n.Weight)
	case g.style.Value == ValueCount:
		return fmt.Sprint(n.Hits)
	case g.style.Graph == GraphFractal:
		return string(appendShare(nil, n.Weight, parent))
	}
	return string(appendShare(nil, n.Weight, g.total))
}

func label(n *analysis.Node) string {
	name := clean(n.Call.Name())
	if n.Call.Inlined {
		name += " (inlined)"
	}
	return name
}

// flat writes the heaviest whole stacks, one call a line.
func (g *graph) flat(w *bufio.Writer) {
	g.leaves(func(value string, path []*analysis.Node) {
		w.WriteString(graphMargin + "   " + value + "\n")
		for _, n := range path {
			w.WriteString(graphMargin + "        " + label(n) + "\n")
		}
		w.WriteByte('\n')
	})
}

// folded writes the same, one stack a line.
func (g *graph) folded(w *bufio.Writer) {
	g.leaves(func(value string, path []*analysis.Node) {
		names := make([]string, len(path))
		for i, n := range path {
			// The separator cannot be in a name.
			names[i] = strings.ReplaceAll(label(n), ";", ":")
		}
		w.WriteString(value + " " + strings.Join(names, ";") + "\n")
	})
}

// leaves calls f for each path of the tree at which hits end.
func (g *graph) leaves(f func(value string, path []*analysis.Node)) {
	var path []*analysis.Node
	var walk func(nodes []*analysis.Node)
	walk = func(nodes []*analysis.Node) {
		for _, n := range nodes {
			path = append(path, n)
			if n.Self > 0 && percent(n.Self, g.total) >= g.style.MinPercent {
				f(g.value(&analysis.Node{Weight: n.Self, Hits: n.SelfHits}, g.entry.Total), path)
			}
			walk(n.Children)
			path = path[:len(path)-1]
		}
	}
	walk(g.entry.Tree)
}
