package histogram

import (
	"iter"

	"trapline/analysis"
	"trapline/analysis/internal/table"
)

// A trie merges the chains of the samples, starting from the end where call trees
// start. The cost of later steps then depends on the number of distinct chains of
// functions. There are many more samples, since they also differ in addresses.
//
// Functions too light to be shown in any tree are left out. They end the run above
// them, since nothing below a hidden node is shown. What follows starts a new run,
// which the trees of other functions need.
type trie struct {
	g        *grouping
	caller   bool     // start at the outermost caller
	lightest uint64   // lighter entries have no tree
	weights  []uint64 // by symbol; nil if no symbol is too light
	least    uint64   // lighter symbols are left out

	elements   []element
	numbers    []uint32            // by Call.Index: index into elements, plus 1
	byIdentity map[[2]uint32]int32 // symbol and call number → index into elements

	keys  *table.Table // parent key, and element<<1 | first occurrence
	nodes []trieNode

	endKeys *table.Table // entry, and node<<1 | chain ends there
	ends    []ending

	seen   []uint32 // by call number: the last sample that contains it
	number uint32   // of the current sample
}

// An ending counts hits whose chains end in the same way.
type ending struct{ hits, weight uint64 }

// An element is a class of calls that neither trees nor keys tell apart.
type element struct {
	call   *analysis.Call // one of them
	number uint32         // as in grouping.callNumber
}

type trieNode struct {
	parent  int32 // noNode at the start of a run
	element int32
	entry   int32 // the entry whose tree starts here; noEntry if none
	analysis.Figures
}

const (
	noNode  = -1
	noEntry = -1
)

// Parent keys: the number of a node, or one of these constants plus the number of
// the cells of the sample, since entries with different cells do not share trees.
const (
	wholeChain = 1 << 62 // of runs that start with the chain
	restOfOne  = 1 << 63 // of runs that start after functions that were left out
)

func newTrie(g *grouping, samples iter.Seq[*analysis.Sample], lightest uint64) *trie {
	t := &trie{
		g: g, caller: g.opt.Tree.Caller, lightest: lightest,
		byIdentity: make(map[[2]uint32]int32),
		keys:       table.New(2),
		endKeys:    table.New(2),
	}
	if !g.opt.Tree.Relative {
		t.least = lightest
		t.weigh(samples)
	}
	i := 0
	for s := range samples {
		t.add(s, g.hits[i])
		i++
	}
	return t
}

// weigh computes upper bounds of the weights of functions: it counts recursive
// calls each time.
func (t *trie) weigh(samples iter.Seq[*analysis.Sample]) {
	for s := range samples {
		chain := t.g.chain(s)
		for pos := range chain.len() {
			c := chain.at(pos)
			if n := int(c.Symbol) + 1 - len(t.weights); n > 0 {
				t.weights = append(t.weights, make([]uint64, n)...)
			}
			t.weights[c.Symbol] += s.Weight
		}
	}
}

func (t *trie) heavy(c *analysis.Call) bool {
	return t.weights == nil || t.weights[c.Symbol] >= t.least
}

// add adds the chain of a sample.
//
// The tree of the entry of the innermost call shows the whole chain. The tree of
// another entry shows one side of the chain, depending on the order: what the
// function called, or who called it. If a function occurs more than once, the
// occurrence with the longest such side counts.
func (t *trie) add(s *analysis.Sample, hit uint32) {
	chain := t.g.chain(s)
	n := chain.len()
	if n == 0 {
		return
	}
	t.number++
	leaf := t.elementOf(s, chain.at(0))
	if t.caller {
		t.seen[t.elements[leaf].number] = t.number
	}
	own := analysis.Figures{Weight: s.Weight, Hits: s.Hits}
	end := analysis.Figures{Self: s.Weight, SelfHits: s.Hits}
	parent, at, broken := wholeChain|uint64(hit), int32(noNode), false
	for i := range n {
		pos := i
		if t.caller {
			pos = n - 1 - i
		}
		e := t.elementOf(s, chain.at(pos))
		first := t.seen[t.elements[e].number] != t.number && (pos == 0 || t.g.opt.Children && !chain.at(pos).Truncated)
		t.seen[t.elements[e].number] = t.number
		if !t.heavy(chain.at(pos)) {
			if !broken {
				t.end(hit, leaf, at, false, own)
			}
			parent, at, broken = restOfOne|uint64(hit), noNode, true
			continue
		}
		at = t.child(parent, at, hit, e, first)
		t.nodes[at].Add(own)
		parent = uint64(at)
	}
	if at != noNode {
		t.nodes[at].Add(end)
	}
	if !broken {
		t.end(hit, leaf, at, true, own)
	}
}

func (t *trie) child(key uint64, parent int32, hit uint32, e int32, first bool) int32 {
	k := [2]uint64{key, uint64(e) << 1}
	if first {
		k[1] |= 1
	}
	n := t.keys.Index(k[:])
	if n == len(t.nodes) {
		node := trieNode{parent: parent, element: e, entry: noEntry}
		if first {
			node.entry = t.entry(hit, e)
		}
		t.nodes = append(t.nodes, node)
	}
	return int32(n)
}

// end records how far the tree of the innermost entry follows the chain of a
// sample. Only trees that start at the outermost caller need this; others start
// with the entry.
func (t *trie) end(hit uint32, leaf, at int32, whole bool, own analysis.Figures) {
	if !t.caller || at == noNode {
		return
	}
	entry := t.entry(hit, leaf)
	if entry == noEntry {
		return
	}
	k := [2]uint64{uint64(entry), uint64(at) << 1}
	if whole {
		k[1] |= 1
	}
	n := t.endKeys.Index(k[:])
	if n == len(t.ends) {
		t.ends = append(t.ends, ending{})
	}
	t.ends[n].hits += own.Hits
	t.ends[n].weight += own.Weight
}

// entry returns the entry of an element if it gets a tree.
func (t *trie) entry(hit uint32, e int32) int32 {
	n := t.g.pair(hit, t.elements[e].number)
	if t.g.entries[n] == nil || t.g.sums[n].total < t.lightest {
		return noEntry
	}
	return int32(n)
}

func (t *trie) elementOf(s *analysis.Sample, c *analysis.Call) int32 {
	at := int(c.Index)
	if n := at + 1 - len(t.numbers); n > 0 {
		t.numbers = append(t.numbers, make([]uint32, n)...)
	}
	if n := t.numbers[at]; n != 0 {
		return int32(n - 1)
	}
	id := [2]uint32{uint32(c.Symbol), t.g.callNumber(s, c)}
	n, ok := t.byIdentity[id]
	if !ok {
		n = int32(len(t.elements))
		t.byIdentity[id] = n
		t.elements = append(t.elements, element{c, id[1]})
	}
	t.numbers[at] = uint32(n + 1)
	if n := int(id[1]) + 1 - len(t.seen); n > 0 {
		t.seen = append(t.seen, make([]uint32, n)...)
	}
	return n
}
