package format

import (
	"cmp"
	"math"
	"slices"
)

// A recipe is how a column is encoded.
type recipe struct {
	transform transform
	context   uint16 // ID of the column that predicts this one, 0 for none; with contextBefore by the row before
	tokens    bool   // numbers are stored as tokens, if none is too large for that
	unit      uint16 // what the numbers count, so that values are rounded down to multiples of it; 0: 1
}

// A plan has a recipe for each column of a shape's hits. Finding the best is
// too slow (some 15 ms) to be done for each block, and what is best changes slowly.
type plan struct {
	recipes []recipe
	rows    int    // of the block that it was made from
	time    uint64 // of that block, ns
	age     uint64 // that it may reach, ns
	blocks  int    // encoded with it
	hits    int    // in them
}

const (
	planBlocks  = 48   // after which a plan is made anew, or, once it has served
	planHits    = 8192 // hits, after these times:
	planFirst   = 2e9  // ns, the first plan: what runs at the start of a recording is not what runs later
	planLast    = 16e9 // ns; each plan before may be twice as old as the one before it
	planSample  = 4096 // rows looked at to choose contexts
	planColumns = 32   // columns that may be contexts
	planTries   = 128  // links that are tried as the first one
	planLinks   = 2048 // more, as of large arrays, are taken as they come
)

// stale reports whether a block deserves a new plan.
func (p *plan) stale(b *hitBlock) bool {
	return p == nil || p.blocks >= planBlocks || b.rows > 4*p.rows ||
		p.hits >= planHits && b.tmax > p.time && b.tmax-p.time >= p.age
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
func (p *payload) links(columns [][]uint64, sizes []int) []link {
	all := len(columns[0])
	rows := min(all, planSample)
	numbers := make([][]uint64, len(columns))
	costs := make([]float64, len(columns)) // of the sample's rows
	for i := 1; i < len(columns); i++ {
		numbers[i] = p.narrow(columns[i][:rows])
		costs[i] = min(columnCost(numbers[i]), float64(sizes[i])*float64(rows)/float64(all))
	}
	predicted := make([]uint64, rows)
	var out []link
	for context := 1; context < min(len(columns), planColumns); context++ {
		now := columns[context][:rows]
		for _, by := range [][]uint64{now, shift(nil, now)} {
			for column := 1; column < len(columns); column++ {
				if column == context || sizes[column] == 0 {
					continue
				}
				p.predict.predict(predicted, numbers[column], by)
				if gain := costs[column] - columnCost(predicted); gain > 0 {
					out = append(out, link{column, context, &by[0] != &now[0], gain})
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b link) int { return cmp.Compare(b.gain, a.gain) })
	return out
}

// narrow returns numbers for values that take little room: positions in a table, or
// distances from the least.
func (p *payload) narrow(values []uint64) []uint64 {
	if p.table.build(values) {
		return slices.Clone(p.table.index)
	}
	least, _ := bounds(values)
	out := make([]uint64, len(values))
	for i, v := range values {
		out[i] = v - least
	}
	return out
}

// columnCost estimates how many bytes numbers take: the entropy of their planes or, if that
// is less, of their tokens with the bits that follow.
func columnCost(numbers []uint64) float64 {
	widest := union(numbers)
	planes := 0.0
	for k := range planeWidth(widest) {
		var counts [256]int
		for _, v := range numbers {
			counts[byte(v>>(8*k&63))]++
		}
		planes += entropy(&counts, len(numbers))
	}
	if widest > maxTokenized {
		return planes / 8
	}
	var counts [256]int
	bits := uint(0)
	for _, v := range numbers {
		token, n := tokenOf(v)
		counts[token]++
		bits += n
	}
	return min(planes, entropy(&counts, len(numbers))+float64(bits)) / 8
}

// entropy returns the bits that bytes of these counts, n in all, take.
func entropy(counts *[256]int, n int) (bits float64) {
	for _, c := range counts {
		if c > 0 {
			bits += float64(c) * math.Log2(float64(n)/float64(c))
		}
	}
	return bits
}

// contexts chooses for each column the link to its context, or none (nil), so that
// they gain the most together. Taking the most helpful link first may be a mistake: one
// that helps a large column a little may forbid those that make several small ones
// vanish. So it tries each link as the first one, and keeps to what gains more.
func contexts(columns int, links []link) []*link {
	first := make([]*link, 0, columns)
	best, most := follow(columns, nil, links)
	if len(links) > planLinks {
		return best
	}
	for range columns {
		var better *link
		for i := range min(len(links), planTries) {
			chosen, gain := follow(columns, append(first, &links[i]), links)
			if gain > most {
				best, most, better = chosen, gain, &links[i]
			}
		}
		if better == nil {
			break
		}
		first = append(first, better)
	}
	return best
}

// follow takes links in their order, first those that must be tried first: each whose
// column has none yet, and that closes no circle and makes no chain of more than maxContexts.
func follow(columns int, first []*link, links []link) (chosen []*link, gain float64) {
	chosen = make([]*link, columns)
	height := make([]int, columns) // of the longest chain that ends at the column
	take := func(l *link) {
		if chosen[l.column] != nil {
			return
		}
		depth := 1
		for c := l.context; ; c = chosen[c].context {
			if c == l.column {
				return
			}
			if chosen[c] == nil {
				break
			}
			depth++
		}
		if depth+height[l.column] > maxContexts {
			return
		}
		chosen[l.column] = l
		gain += l.gain
		for c, h := l.context, height[l.column]+1; ; c, h = chosen[c].context, h+1 {
			height[c] = max(height[c], h)
			if chosen[c] == nil {
				return
			}
		}
	}
	for _, l := range first {
		take(l)
	}
	for i := range links {
		take(&links[i])
	}
	return chosen, gain
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

// newPlan tries recipes on a block. before is the plan that it replaces, or nil.
func (p *payload) newPlan(b *hitBlock, before *plan) *plan {
	columns := make([][]uint64, b.columns)
	sizes := make([]int, b.columns)
	out := &plan{recipes: make([]recipe, b.columns), rows: b.rows, time: b.tmax, age: planFirst}
	if before != nil {
		out.age = min(2*before.age, planLast)
	}
	for i := range columns {
		columns[i] = b.column(i)
		if i == 0 {
			out.recipes[i], sizes[i] = p.best(columns[i], nil, transformPlain, transformDelta)
		} else {
			out.recipes[i], sizes[i] = p.best(columns[i], nil, transformPlain, transformDelta, transformTable)
		}
	}
	for i, l := range contexts(len(columns), p.links(columns, sizes)) {
		if l == nil {
			continue
		}
		id := hitColumn(l.context)
		if l.before {
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

// best returns the recipe with one of the transforms with which values take the fewest bytes.
func (p *payload) best(values, context []uint64, transforms ...transform) (best recipe, least int) {
	least = -1
	for _, t := range transforms {
		for _, tokens := range []bool{false, true} {
			r := recipe{transform: t, tokens: tokens}
			size := p.size(r, values, context)
			if size < 0 {
				continue
			}
			if tokens { // they take longer to read
				size += size / 32
			}
			if least < 0 || size < least {
				best, least = r, size
			}
		}
	}
	return best, least
}

// size returns how many bytes values take under a recipe, -1 if it does not apply to them.
func (p *payload) size(r recipe, values, context []uint64) int {
	start := len(p.data)
	if !p.encode(hitTime, r, values, context) {
		return -1
	}
	size := len(p.data) - start
	p.data = p.data[:start]
	return size
}
