package format

// A recipe is how a column is encoded.
type recipe struct {
	transform transform
	context   uint16 // ID of the column that predicts this one; 0: none
}

// A plan has a recipe for each column of a shape's hits. Finding the best is
// too slow to be done for each block, and what is best changes slowly.
type plan struct {
	recipes []recipe
	rows    int // of the block that it was made from
	blocks  int // encoded with it
}

const (
	planBlocks  = 64   // after which a plan is made anew
	planSample  = 2048 // rows looked at to choose contexts
	planColumns = 32   // columns that may be contexts
)

// stale reports whether a block of so many rows deserves a new plan.
func (p *plan) stale(rows int) bool {
	return p == nil || p.blocks >= planBlocks || rows > 4*p.rows
}

// contexts chooses, for each column, the column that predicts it best, or none
// (-1). A column that is a context has none itself, so that decoding a column takes
// one other column at most. sizes are the columns' sizes when not predicted.
// Column 0, time, is left alone: no two rows have the same.
func contexts(columns [][]uint64, sizes []int) []int {
	n := min(len(columns), planColumns)
	rows := min(len(columns[0]), planSample)
	gain := make([][]float64, n) // [context][column]
	var p predictor
	for r := 1; r < n; r++ {
		gain[r] = make([]float64, len(columns))
		for k := 1; k < len(columns); k++ {
			if k != r && sizes[k] > 0 {
				misses := float64(p.misses(columns[k][:rows], columns[r][:rows])) / float64(rows)
				gain[r][k] = max(0, float64(sizes[k])*(1-1.5*misses))
			}
		}
	}
	chosen := make([]int, len(columns))
	for k := range chosen {
		chosen[k] = -1
	}
	current := func(k int) float64 {
		if chosen[k] < 0 {
			return 0
		}
		return gain[chosen[k]][k]
	}
	isContext := make([]bool, len(columns))
	// Greedily: the context that gains most over what is chosen so far.
	for {
		best, most := -1, 0.0
		for r := 1; r < n; r++ {
			if isContext[r] {
				continue
			}
			total := -current(r)
			for k := 1; k < len(columns); k++ {
				if k != r && !isContext[k] {
					total += max(0, gain[r][k]-current(k))
				}
			}
			if total > most {
				best, most = r, total
			}
		}
		if best < 0 {
			return chosen
		}
		isContext[best], chosen[best] = true, -1
		for k := 1; k < len(columns); k++ {
			if !isContext[k] && gain[best][k] > current(k) {
				chosen[k] = best
			}
		}
	}
}

// hitColumn returns the ID of the i-th column of hits; columnOf is its inverse.
func hitColumn(i int) uint16 {
	if i < hitFixed {
		return hitTime + 2*uint16(i)
	}
	return hitArg + 2*uint16(i-hitFixed)
}

func columnOf(id uint16) int {
	if id < hitArg {
		return int(id-hitTime) / 2
	}
	return int(id-hitArg)/2 + hitFixed
}

// newPlan tries recipes on a block.
func (p *payload) newPlan(b *hitBlock) *plan {
	columns := make([][]uint64, b.columns)
	sizes := make([]int, b.columns)
	out := &plan{recipes: make([]recipe, b.columns), rows: b.rows}
	for i := range columns {
		columns[i] = b.column(i)
		if i == 0 {
			out.recipes[i], sizes[i] = p.best(columns[i], nil, transformPlain, transformDelta)
		} else {
			out.recipes[i], sizes[i] = p.best(columns[i], nil, transformPlain, transformDelta, transformTable)
		}
	}
	for i, c := range contexts(columns, sizes) {
		if c < 0 {
			continue
		}
		r, size := p.best(columns[i], columns[c], transformPlain, transformTable)
		if size < sizes[i] {
			r.context = hitColumn(c)
			out.recipes[i] = r
		}
	}
	return out
}

// best returns the transform with which values take the fewest bytes.
func (p *payload) best(values, context []uint64, transforms ...transform) (best recipe, least int) {
	start := len(p.data)
	for i, t := range transforms {
		if !p.encode(hitTime, recipe{transform: t}, values, context) {
			continue
		}
		if size := len(p.data) - start; i == 0 || size < least {
			best.transform, least = t, size
		}
		p.data = p.data[:start]
	}
	return best, least
}
