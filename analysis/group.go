package analysis

import (
	"cmp"
	"slices"
	"strings"
)

// A grouping builds a histogram. Cells are compared by number: those that depend
// on the sample alone make one number, those that depend on a call another, and an
// entry is a pair of both.
type grouping struct {
	opt  HistogramOptions
	hist *Histogram

	sampleCells map[string]uint32
	callCells   map[string]uint32
	callNumbers map[*Call]uint32 // of callCells

	pairs   *table // sample cells<<32 | call cells
	entries []*Entry
	seen    []int // by entry: last sample that was added, so that recursion counts once
	chain   []*Call
	number  int
	beyond  *Call // stands for what MaxStack leaves out; its symbol is 0

	name []byte
}

func newGrouping(opt HistogramOptions) *grouping {
	return &grouping{
		opt:         opt,
		hist:        &Histogram{Keys: opt.Keys},
		sampleCells: make(map[string]uint32),
		callCells:   make(map[string]uint32),
		callNumbers: make(map[*Call]uint32),
		pairs:       newTable(1),
		beyond:      &Call{Function: "[truncated: beyond the calls shown]", Truncated: true},
	}
}

// maxChain bounds the depth of trees, as stacks are as deep as a file says.
const maxChain = 4096

// limited returns the chain of a sample as far as it counts.
func (g *grouping) limited(dst []*Call, s *Sample) []*Call {
	dst = Chain(dst, s.Kernel, s.User)
	n := maxChain
	if g.opt.MaxStack > 0 {
		n = min(n, g.opt.MaxStack)
	}
	if len(dst) > n {
		dst = append(dst[:n], g.beyond)
	}
	return dst
}

func (g *grouping) add(s *Sample) {
	g.number++
	g.hist.Samples += s.Hits
	g.hist.Sum += s.Weight
	hit := g.sampleNumber(s)
	g.chain = g.limited(g.chain[:0], s)
	var leaf *Call
	if len(g.chain) > 0 {
		leaf = g.chain[0]
	}
	if e := g.entry(s, hit, leaf); e != nil {
		e.leaf = true
		e.Self += s.Weight
		e.SelfHits += s.Hits
	}
	if !g.opt.Children {
		return
	}
	for _, c := range g.chain[min(1, len(g.chain)):] {
		g.entry(s, hit, c)
	}
}

// entry returns the entry of a call of the sample after adding the sample to its
// total, nil if the entry is filtered out. leaf calls come first.
func (g *grouping) entry(s *Sample, hit uint32, c *Call) *Entry {
	n := g.find(s, hit, c)
	e := g.entries[n]
	if e == nil {
		return nil
	}
	if g.seen[n] != g.number {
		g.seen[n] = g.number
		e.Total += s.Weight
		e.TotalHits += s.Hits
	}
	return e
}

// find returns the number of the entry for a call of a sample.
func (g *grouping) find(s *Sample, hit uint32, c *Call) int {
	key := [1]uint64{uint64(hit)<<32 | uint64(g.callNumber(s, c))}
	n := g.pairs.index(key[:])
	if n == len(g.entries) {
		var e *Entry
		if matchCall(c, g.opt.DSOs, g.opt.Symbols) {
			e = &Entry{Cells: g.cells(s, c), call: c}
		}
		g.entries = append(g.entries, e)
		g.seen = append(g.seen, 0)
	}
	return n
}

// callNumber numbers calls by what the keys show of them.
func (g *grouping) callNumber(s *Sample, c *Call) uint32 {
	if c != nil {
		if n, ok := g.callNumbers[c]; ok {
			return n
		}
	}
	name := g.name[:0]
	for _, k := range g.opt.Keys {
		if k.perCall() {
			name = append(name, cell(k, s, c).Text...)
			name = append(name, 0)
		}
	}
	if c != nil && c.Kernel {
		name = append(name, 1)
	}
	g.name = name
	n, ok := g.callCells[string(name)]
	if !ok {
		n = uint32(len(g.callCells))
		g.callCells[string(name)] = n
	}
	if c != nil {
		g.callNumbers[c] = n
	}
	return n
}

func (g *grouping) sampleNumber(s *Sample) uint32 {
	name := g.name[:0]
	arg := 0
	for _, k := range g.opt.Keys {
		if k.perCall() {
			continue
		}
		name = appendKey(name, k, s, arg)
		if k.Kind == KeyArg {
			arg++
		}
	}
	g.name = name
	n, ok := g.sampleCells[string(name)]
	if !ok {
		n = uint32(len(g.sampleCells))
		g.sampleCells[string(name)] = n
	}
	return n
}

func (g *grouping) finish(samples []Sample) *Histogram {
	h := g.hist
	for _, e := range g.entries {
		if e != nil && e.Total > 0 {
			h.Entries = append(h.Entries, e)
		}
	}
	slices.SortFunc(h.Entries, compareEntries)
	if g.opt.Tree != nil {
		g.trees(samples)
	}
	return h
}

func compareEntries(a, b *Entry) int {
	if c := cmp.Compare(b.Total, a.Total); c != 0 {
		return c
	}
	if c := cmp.Compare(b.Self, a.Self); c != 0 {
		return c
	}
	for i := range a.Cells {
		if c := compareCells(a.Cells[i], b.Cells[i]); c != 0 {
			return c
		}
	}
	return 0
}

func compareCells(a, b Cell) int {
	if c := cmp.Compare(a.ID, b.ID); c != 0 {
		return c
	}
	if a.Value.Field != nil && b.Value.Field != nil {
		if c := a.Value.Compare(b.Value); c != 0 {
			return c
		}
	}
	return strings.Compare(a.Text, b.Text)
}
