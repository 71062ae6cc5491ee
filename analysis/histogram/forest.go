package histogram

import (
	"iter"
	"slices"

	"trapline/analysis"
)

// A forest turns a trie into the call trees of the entries. From the top down, it
// joins trie nodes with the same function and callers, and drops what is too light.
type forest struct {
	*trie
	children []int32            // by node: first child or noNode
	siblings []int32            // by node: next sibling or noNode
	shares   []analysis.Figures // by node: share of the current entry
	groups   []int32            // scratch, by symbol: group+1
}

// A branch is a trie node in the tree of an entry.
type branch struct {
	node  int32
	share bool // count only the share of the entry
}

// growTrees sets the call trees of all entries that are heavy enough.
func growTrees(g *grouping, samples iter.Seq[*analysis.Sample]) {
	opt := g.opt.Tree
	lightest := uint64(0)
	if !opt.Relative {
		lightest = opt.least(max(g.opt.Total, g.hist.Sum))
	}
	f := newForest(newTrie(g, samples, lightest))
	tops, ends := f.tops(), f.endsByEntry()
	for n, e := range g.entries {
		if e == nil || len(tops[int32(n)])+len(ends[int32(n)]) == 0 {
			continue
		}
		least := lightest
		if opt.Relative {
			least = opt.least(e.Total)
		}
		branches := tops[int32(n)]
		used := f.share(ends[int32(n)])
		for _, node := range used {
			if f.nodes[node].parent == noNode {
				branches = append(branches, branch{node, true})
			}
		}
		t := analysis.NewTree(analysis.Node{Figures: analysis.Figures{Weight: e.Total, Hits: e.TotalHits}})
		if f.split(t, 0, branches, least); len(t.Nodes) > 1 {
			e.Tree = t
		}
		for _, node := range used {
			f.shares[node] = analysis.Figures{}
		}
	}
}

// least returns the lightest weight to show.
func (o *TreeOptions) least(total uint64) uint64 {
	return max(1, uint64(o.MinShare*float64(total)+0.999999))
}

func newForest(t *trie) *forest {
	f := &forest{trie: t, children: make([]int32, len(t.nodes)), siblings: make([]int32, len(t.nodes)), shares: make([]analysis.Figures, len(t.nodes))}
	symbols := analysis.SymbolID(0)
	for _, e := range t.elements {
		symbols = max(symbols, e.call.Symbol)
	}
	f.groups = make([]int32, symbols+1)
	for n := range f.children {
		f.children[n] = noNode
	}
	for n, node := range slices.Backward(t.nodes) {
		f.siblings[n] = noNode
		if node.parent != noNode {
			f.siblings[n] = f.children[node.parent]
			f.children[node.parent] = int32(n)
		}
	}
	return f
}

// tops returns, by entry, the nodes where its tree starts.
func (f *forest) tops() map[int32][]branch {
	tops := make(map[int32][]branch)
	for n, node := range f.nodes {
		if node.entry != noEntry {
			tops[node.entry] = append(tops[node.entry], branch{node: int32(n)})
		}
	}
	return tops
}

func (f *forest) endsByEntry() map[int32][]int {
	ends := make(map[int32][]int)
	for i := range f.ends {
		entry := int32(f.endKeys.Key(i)[0])
		ends[entry] = append(ends[entry], i)
	}
	return ends
}

// share computes the shares of an entry whose chains end in the given ways, and
// returns the nodes on their paths from the outermost callers.
func (f *forest) share(ends []int) (used []int32) {
	for _, i := range ends {
		word := f.endKeys.Key(i)[1]
		end := f.ends[i]
		at := int32(word >> 1)
		if word&1 != 0 {
			f.shares[at].Self += end.weight
			f.shares[at].SelfHits += end.hits
		}
		for ; at != noNode; at = f.nodes[at].parent {
			if f.shares[at].Hits == 0 {
				used = append(used, at)
			}
			f.shares[at].Weight += end.weight
			f.shares[at].Hits += end.hits
		}
	}
	return used
}

// A limb is a node under construction, with the branches of its function.
type limb struct {
	analysis.Node
	branches []branch
}

// split adds the descendants of a node: one child for each function of the
// branches.
func (f *forest) split(t *analysis.Tree, parent int32, branches []branch, least uint64) {
	limbs := f.limbs(branches)
	limbs = slices.DeleteFunc(limbs, func(l limb) bool { return l.Weight < least })
	slices.SortFunc(limbs, func(a, b limb) int { return analysis.CompareNodes(&a.Node, &b.Node) })
	for _, l := range slices.Backward(limbs) { // Add puts each in front
		f.split(t, t.Add(parent, l.Node), f.below(l.branches), least)
	}
}

// limbs groups branches by function.
func (f *forest) limbs(branches []branch) []limb {
	var limbs []limb
	for _, b := range branches {
		call := f.elements[f.nodes[b.node].element].call
		n := f.groups[call.Symbol]
		if n == 0 {
			limbs = append(limbs, limb{Node: analysis.Node{Call: call}})
			n = int32(len(limbs))
			f.groups[call.Symbol] = n
		}
		l := &limbs[n-1]
		l.branches = append(l.branches, b)
		if b.share {
			l.Add(f.shares[b.node])
		} else {
			l.Add(f.nodes[b.node].Figures)
		}
	}
	for i := range limbs {
		f.groups[limbs[i].Call.Symbol] = 0
	}
	return limbs
}

// below returns the children of branches. Of a shared branch it returns those in
// which the entry has a share.
func (f *forest) below(branches []branch) []branch {
	var next []branch
	for _, b := range branches {
		for n := f.children[b.node]; n != noNode; n = f.siblings[n] {
			if !b.share || f.shares[n].Hits > 0 {
				next = append(next, branch{n, b.share})
			}
		}
	}
	return next
}
