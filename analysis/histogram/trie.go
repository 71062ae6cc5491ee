package histogram

import (
	"iter"

	"trapline/analysis"
	"trapline/analysis/internal/table"
)

// A trie merges the chains of a histogram's samples from the end at which call
// trees begin, so that all that follows costs as much as there are different
// chains of functions: samples differ in addresses too, and are many more.
//
// Functions that are too light to be shown in any tree are left out, and end what
// is above them: nothing below a node that is not shown is shown. What follows
// on one begins a run of its own, as the trees of other functions need it.
type trie struct {
	g        *grouping
	caller   bool     // chains begin at the outermost caller
	lightest uint64   // entries that are lighter have no tree
	weights  []uint64 // of all samples by symbol; nil: none is too light
	least    uint64   // weight of symbols that are not left out

	elements   []element
	numbers    []uint32            // by Call.Index: number in elements, plus 1
	byIdentity map[[2]uint32]int32 // symbol and call number → number in elements

	keys  *table.Table // parent, and element with the bit that tells first occurrences
	nodes []trieNode

	endKeys *table.Table // entry, and node with the bit that says whether the chain ends there
	ends    []ending

	seen   []uint32 // by call number: the last sample that it was in
	number uint32   // of the sample being added
}

// An ending is the hits whose chains end in the same way.
type ending struct{ hits, weight uint64 }

// An element is what chains are made of: calls that trees and keys do not tell
// apart.
type element struct {
	call   *analysis.Call // one of them
	number uint32         // as in grouping.callNumber
}

type trieNode struct {
	parent  int32 // noNode: first of its run
	element int32
	entry   int32 // whose tree begins here for all that is below; noEntry: none
	analysis.Figures
}

const (
	noNode  = -1
	noEntry = -1
)

// Keys of parents: a node's number, or one of these and the number of the sample's
// cells, as entries of different cells do not share trees.
const (
	wholeChain = 1 << 62 // of runs that begin with the chain
	restOfOne  = 1 << 63 // of runs that begin after what was left out
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

// weigh finds how heavy functions are at most: recursion is counted each time.
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

// add adds a sample's chain. The tree of an entry of the innermost call shows all
// of the chain. Others show the side that the trie's order leads to: what the function
// called, or who called it. A function that is in the chain more than once counts
// from the occurrence with the longest such side.
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

// end notes how far the tree of a sample's own entry follows its chain. Only trees
// that begin at the outermost caller need it: others begin with the entry.
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

// entry returns the entry of an element if it is to have a tree.
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
