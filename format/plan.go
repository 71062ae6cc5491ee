package format

import (
	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// A plan has a recipe for each column of a shape's hits. Finding the best is
// too slow (some 15 ms) to be done for each block, and what is best changes slowly.
type plan struct {
	recipes []column.Recipe
	rows    int    // of the block that it was made from
	time    uint64 // of that block, ns
	age     uint64 // that it may reach, ns
	blocks  int    // encoded with it
	hits    int    // in them
}

const (
	planBlocks = 48   // after which a plan is made anew, or, once it has served
	planHits   = 8192 // hits, after these times:
	planFirst  = 2e9  // ns, the first plan: what runs at the start of a recording is not what runs later
	planLast   = 16e9 // ns; each plan before may be twice as old as the one before it
)

// stale reports whether a block deserves a new plan.
func (p *plan) stale(b *hitBlock) bool {
	return p == nil || p.blocks >= planBlocks || b.rows > 4*p.rows ||
		p.hits >= planHits && b.tmax > p.time && b.tmax-p.time >= p.age
}

// newPlan tries recipes on a block. before is the plan that it replaces, or nil.
func newPlan(c *column.Builder, b *hitBlock, before *plan) *plan {
	columns := make([][]uint64, b.columns)
	ids := make([]uint16, b.columns)
	for i := range columns {
		columns[i], ids[i] = b.column(i), block.HitColumn(i)
	}
	p := &plan{recipes: c.Recipes(columns, ids), rows: b.rows, time: b.tmax, age: planFirst}
	if before != nil {
		p.age = min(2*before.age, planLast)
	}
	return p
}
