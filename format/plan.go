package format

import (
	"cmp"
	"slices"
)

// A recipe is how a column is encoded.
type recipe struct {
	transform transform
	context   uint16 // ID of the column that predicts this one, 0 for none; with contextBefore by the row before
	unit      uint16 // what the numbers count, so that values are rounded down to multiples of it; 0: 1
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

// A link is the guess that one column predicts another.
type link struct {
	column, context int
	before          bool    // by its value in the row before
	gain            float64 // bytes saved, roughly
}

// links returns the pairs of columns where one helps to predict the other, most
// helpful first. sizes are the columns' sizes when not predicted. Column 0, time,
// is left alone: no two rows have the same.
func links(columns [][]uint64, sizes []int) []link {
	rows := min(len(columns[0]), planSample)
	var out []link
	var p predictor
	for context := 1; context < min(len(columns), planColumns); context++ {
		now := columns[context][:rows]
		for _, by := range [][]uint64{now, shift(nil, now)} {
			for column := 1; column < len(columns); column++ {
				if column == context || sizes[column] == 0 {
					continue
				}
				// A value that is not as expected costs more than it did before.
				misses, ok := p.misses(columns[column][:rows], by, rows*2/3)
				if gain := float64(sizes[column]) * (1 - 1.5*float64(misses)/float64(rows)); ok && gain > 0 {
					out = append(out, link{column, context, &by[0] != &now[0], gain})
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b link) int { return cmp.Compare(b.gain, a.gain) })
	return out
}

// contexts chooses for each column its context, or none (-1): the best that
// closes no circle and makes no chain of more than maxContexts. before says which
// contexts are values of the row before.
func contexts(columns [][]uint64, sizes []int) (chosen []int, before []bool) {
	chosen, before = make([]int, len(columns)), make([]bool, len(columns))
	height := make([]int, len(columns)) // of the longest chain that ends at the column
	for i := range chosen {
		chosen[i] = -1
	}
	for _, l := range links(columns, sizes) {
		if chosen[l.column] >= 0 {
			continue
		}
		depth, circle := 1, false
		for c := l.context; c >= 0 && !circle; c = chosen[c] {
			circle = c == l.column
			depth++
		}
		depth--
		if circle || depth+height[l.column] > maxContexts {
			continue
		}
		chosen[l.column], before[l.column] = l.context, l.before
		h := height[l.column] + 1
		for c := l.context; c >= 0; c = chosen[c] {
			height[c] = max(height[c], h)
			h++
		}
	}
	return chosen, before
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
	chosen, before := contexts(columns, sizes)
	for i, c := range chosen {
		if c < 0 {
			continue
		}
		id := hitColumn(c)
		if before[i] {
			id |= contextBefore
		}
		r, size := p.best(columns[i], p.context(b, id), transformPlain, transformTable)
		if size < sizes[i] {
			r.context = id
			out.recipes[i] = r
		}
	}
	return out
}

// context returns the values that predict a column of the block.
func (p *payload) context(b *hitBlock, id uint16) []uint64 {
	if id == 0 {
		return nil
	}
	values := b.column(columnOf(id &^ contextBefore))
	if id&contextBefore != 0 {
		p.before = shift(p.before[:0], values)
		return p.before
	}
	return values
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
