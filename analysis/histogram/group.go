package histogram

import (
	"cmp"
	"slices"
	"strings"

	"trapline/analysis"
	"trapline/analysis/internal/table"
)

// A grouping builds a histogram. It compares cells by number: one number for the
// cells that depend only on the sample, another for those that depend on a call. An
// entry is a pair of both numbers.
type grouping struct {
	opt  Options
	hist *Histogram

	sampleCells map[string]uint32
	callCells   map[string]uint32
	callNumbers []uint32 // by Call.Index: value in callCells, plus 1
	hits        []uint32 // by sample: value in sampleCells

	pairs   *table.Table   // sample cells<<32 | call cells
	recent  []recentPair   // by call cells: the last lookup
	entries []*Entry       // nil if filtered out
	sums    []sums         // by entry; separate, since every call of every sample looks here
	number  int            // of the current sample
	beyond  *analysis.Call // replaces what MaxStack leaves out; no other call has symbol and index 0

	name []byte
}

// A recentPair caches the lookup of a pair. Most samples have the same cells as the
// previous one.
type recentPair struct{ hit, entry uint32 } // both plus 1

// sums are the counts of one entry.
type sums struct {
	self, total         uint64
	selfHits, totalHits uint64
	seen                int // number of the last sample added, so that recursion counts once
}

func newGrouping(opt Options) *grouping {
	// Without per-call keys, all calls of a hit belong to the same entry.
	opt.Children = opt.Children && slices.ContainsFunc(opt.Keys, Key.PerCall)
	return &grouping{
		opt:         opt,
		hist:        &Histogram{Keys: opt.Keys},
		sampleCells: make(map[string]uint32),
		callCells:   make(map[string]uint32),
		pairs:       table.New(1),
		beyond:      &analysis.Call{Function: "[truncated: beyond the calls shown]", Truncated: true},
	}
}

func (g *grouping) chain(s *analysis.Sample) chain { return newChain(s, g.opt.MaxStack, g.beyond) }

func (g *grouping) add(s *analysis.Sample) {
	g.number++
	g.hist.Samples += s.Hits
	g.hist.Sum += s.Weight
	hit := g.sampleNumber(s)
	g.hits = append(g.hits, hit)
	chain := g.chain(s)
	n := chain.len()
	var leaf *analysis.Call
	if n > 0 {
		leaf = chain.at(0)
	}
	own := g.addTotal(s, hit, leaf)
	own.self += s.Weight
	own.selfHits += s.Hits
	if !g.opt.Children {
		return
	}
	for i := 1; i < n; i++ {
		if c := chain.at(i); !c.Truncated {
			g.addTotal(s, hit, c)
		}
	}
}

// addTotal adds the sample to the total of the entry of one of its calls, unless
// that was done before.
func (g *grouping) addTotal(s *analysis.Sample, hit uint32, c *analysis.Call) *sums {
	e := &g.sums[g.find(s, hit, c)]
	if e.seen != g.number {
		e.seen = g.number
		e.total += s.Weight
		e.totalHits += s.Hits
	}
	return e
}

// find returns the number of the entry of a call.
func (g *grouping) find(s *analysis.Sample, hit uint32, c *analysis.Call) int {
	call := g.callNumber(s, c)
	if n := int(call) + 1 - len(g.recent); n > 0 {
		g.recent = append(g.recent, make([]recentPair, n)...)
	}
	if r := g.recent[call]; r.hit == hit+1 {
		return int(r.entry - 1)
	}
	n := g.pair(hit, call)
	g.recent[call] = recentPair{hit + 1, uint32(n + 1)}
	if n == len(g.entries) {
		var e *Entry
		if analysis.MatchCall(c, g.opt.DSOs, g.opt.Symbols) {
			e = &Entry{Cells: cells(g.opt.Keys, s, c)}
		}
		g.entries = append(g.entries, e)
		g.sums = append(g.sums, sums{})
	}
	return n
}

func (g *grouping) pair(hit, call uint32) int {
	key := [1]uint64{uint64(hit)<<32 | uint64(call)}
	return g.pairs.Index(key[:])
}

// callNumber numbers calls by their cells.
func (g *grouping) callNumber(s *analysis.Sample, c *analysis.Call) uint32 {
	if c != nil {
		if n := int(c.Index) + 1 - len(g.callNumbers); n > 0 {
			g.callNumbers = append(g.callNumbers, make([]uint32, n)...)
		}
		if n := g.callNumbers[c.Index]; n != 0 {
			return n - 1
		}
	}
	name := g.name[:0]
	for _, k := range g.opt.Keys {
		if k.PerCall() {
			name = append(name, cell(k, s, c).Text...)
			name = append(name, 0)
		}
		if k.Kind == KeySymbol && c != nil && c.Kernel {
			name = append(name, 1)
		}
	}
	g.name = name
	n, ok := g.callCells[string(name)]
	if !ok {
		n = uint32(len(g.callCells))
		g.callCells[string(name)] = n
	}
	if c != nil {
		g.callNumbers[c.Index] = n + 1
	}
	return n
}

func (g *grouping) sampleNumber(s *analysis.Sample) uint32 {
	name := g.name[:0]
	arg := 0
	for _, k := range g.opt.Keys {
		if k.PerCall() {
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

func (g *grouping) finish() *Histogram {
	h := g.hist
	for n, e := range g.entries {
		if e != nil {
			sum := &g.sums[n]
			e.Self, e.SelfHits = sum.self, sum.selfHits
			e.Total, e.TotalHits = sum.total, sum.totalHits
			h.Entries = append(h.Entries, e)
		}
	}
	slices.SortFunc(h.Entries, compareEntries)
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
	if a.Value != nil && b.Value != nil {
		if c := a.Value.Compare(*b.Value); c != 0 {
			return c
		}
	}
	return strings.Compare(a.Text, b.Text)
}
