package format

import (
	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// A plan has a recipe for each column of a shape's hits. Finding the best recipes takes
// about 15 ms, too long to do for each block, and the best ones change slowly.
type plan struct {
	recipes []column.Recipe
	rows    int    // of the block it was made from
	time    uint64 // of that block, ns
	age     uint64 // at which it becomes stale, ns
	blocks  int    // encoded with it
	hits    int    // in them
}

const (
	// A plan is replaced after planBlocks blocks, or after it has encoded planHits hits
	// and reached its age. The first plan lasts only planFirst, because the start of a
	// recording is not typical; each later one lasts twice as long as the one before,
	// up to planLast.
	planBlocks = 48
	planHits   = 8192
	planFirst  = 2e9  // ns
	planLast   = 16e9 // ns
)

// stale reports whether a block needs a new plan.
func (p *plan) stale(b *hitBlock) bool {
	return p == nil || p.blocks >= planBlocks || b.rows > 4*p.rows ||
		p.hits >= planHits && b.tmax > p.time && b.tmax-p.time >= p.age
}

// newPlan finds recipes for a block. before is the plan to replace, or nil.
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
