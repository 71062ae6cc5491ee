package analysis

import (
	"cmp"
	"slices"
	"strings"
)

// A forest builds the call trees of a histogram's entries. Chains are kept once,
// as symbols in one slice; a tree is built from the top by splitting the list of
// the chains that run through a node, and a part that is too light is dropped at once.
// So the work is bounded by what can be shown, not by what was recorded.
type forest struct {
	opt     *TreeOptions
	samples []Sample
	symbols []symbolID   // the chains of all samples, innermost first
	calls   []*Call      // by symbol: one that has it, the first seen
	groups  []int32      // scratch, by symbol: group+1
	paths   [][]treePath // by number of the entry
}

// A treePath is the part of a sample's chain that an entry's tree shows.
type treePath struct {
	sample int32
	first  int32 // index in forest.symbols of the root
	length int32
}

// trees gives a call tree to each entry that is heavy enough to have one.
func (g *grouping) trees(samples []Sample) {
	f := &forest{opt: g.opt.Tree, samples: samples}
	lightest := uint64(0)
	if !f.opt.Relative {
		lightest = f.least(max(g.opt.Total, g.hist.Sum))
	}
	f.paths = make([][]treePath, len(g.entries))
	for i := range samples {
		g.paths(f, i, lightest)
	}
	f.groups = make([]int32, len(f.calls))
	for n, e := range g.entries {
		if e == nil {
			continue
		}
		least := lightest
		if f.opt.Relative {
			least = f.least(e.Total)
		}
		e.Tree = f.split(f.paths[n], 0, least)
		f.paths[n] = nil
	}
}

// least returns the lightest weight that is shown.
func (f *forest) least(total uint64) uint64 {
	return max(1, uint64(f.opt.MinShare*float64(total)+0.999999))
}

// paths adds a sample's chain to the forest, and to each entry the part of it
// that the entry shows. An entry of the innermost call shows all of the chain.
// Others show the side that the tree's order leads to: what the function called, or who
// called it. A function that is in the chain more than once counts from the
// occurrence with the longest such side.
func (g *grouping) paths(f *forest, i int, lightest uint64) {
	s := &f.samples[i]
	g.number++
	hit := g.sampleNumber(s)
	chain := g.chain(s)
	start, n := len(f.symbols), chain.len()
	if n == 0 {
		return
	}
	for pos := range n {
		f.symbols = append(f.symbols, f.see(chain.at(pos)))
	}
	add := func(pos int, p treePath) {
		n := g.find(s, hit, chain.at(pos))
		if e := &g.sums[n]; e.total >= lightest && e.seen != g.number && g.entries[n] != nil {
			e.seen = g.number
			p.sample = int32(i)
			f.paths[n] = append(f.paths[n], p)
		}
	}
	if f.opt.Caller {
		add(0, treePath{first: int32(start + n - 1), length: int32(n)})
	} else {
		add(0, treePath{first: int32(start), length: int32(n)})
	}
	if !g.opt.Children {
		return
	}
	if f.opt.Caller {
		for pos := n - 1; pos > 0; pos-- {
			add(pos, treePath{first: int32(start + pos), length: int32(pos + 1)})
		}
		return
	}
	for pos := 1; pos < n; pos++ {
		add(pos, treePath{first: int32(start + pos), length: int32(n - pos)})
	}
}

// see returns the symbol of a call.
func (f *forest) see(c *Call) symbolID {
	if n := int(c.symbol) + 1 - len(f.calls); n > 0 {
		f.calls = append(f.calls, make([]*Call, n)...)
	}
	if f.calls[c.symbol] == nil {
		f.calls[c.symbol] = c
	}
	return c.symbol
}

func (f *forest) at(p treePath, depth int) symbolID {
	if f.opt.Caller {
		return f.symbols[int(p.first)-depth]
	}
	return f.symbols[int(p.first)+depth]
}

// split makes a node of each symbol that paths have at depth.
func (f *forest) split(paths []treePath, depth int, least uint64) []*Node {
	type group struct {
		symbol symbolID
		node   Node
		size   int
	}
	var groups []group
	for _, p := range paths {
		if depth >= int(p.length) {
			continue
		}
		id := f.at(p, depth)
		n := f.groups[id]
		if n == 0 {
			groups = append(groups, group{symbol: id})
			n = int32(len(groups))
			f.groups[id] = n
		}
		gr := &groups[n-1]
		s := &f.samples[p.sample]
		gr.node.Weight += s.Weight
		gr.node.Hits += s.Hits
		if depth == int(p.length)-1 {
			gr.node.Self += s.Weight
			gr.node.SelfHits += s.Hits
		}
		gr.size++
	}
	parts := make([][]treePath, len(groups))
	for i, gr := range groups {
		if gr.node.Weight >= least {
			parts[i] = make([]treePath, 0, gr.size)
		}
	}
	for _, p := range paths {
		if depth >= int(p.length) {
			continue
		}
		if i := f.groups[f.at(p, depth)] - 1; parts[i] != nil {
			parts[i] = append(parts[i], p)
		}
	}
	for _, gr := range groups {
		f.groups[gr.symbol] = 0
	}
	var nodes []*Node
	for i, gr := range groups {
		if parts[i] == nil {
			continue
		}
		node := gr.node
		node.Call = f.calls[gr.symbol]
		node.Children = f.split(parts[i], depth+1, least)
		nodes = append(nodes, &node)
	}
	slices.SortFunc(nodes, func(a, b *Node) int {
		if c := cmp.Compare(b.Weight, a.Weight); c != 0 {
			return c
		}
		if c := strings.Compare(a.Call.Name(), b.Call.Name()); c != 0 {
			return c
		}
		return strings.Compare(a.Call.Image.Name(), b.Call.Image.Name())
	})
	return nodes
}
