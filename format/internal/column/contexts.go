package column

import (
	"cmp"
	"slices"
)

const (
	linkSample   = 4096 // rows looked at to choose contexts
	linkContexts = 32   // columns that may be contexts
	linkTries    = 128  // links that are tried as the first one
	linkMost     = 2048 // more, as of large arrays, are taken as they come
)

// A link is the guess that one column predicts another.
type link struct {
	column, context int
	before          bool    // by its value in the row before
	gain            float64 // bytes saved, roughly
}

// links returns the pairs of columns where one helps to predict the other, most
// helpful first. sizes are the columns' sizes when not predicted. Column 0, time,
// is left alone: no two rows have the same.
func (b *Builder) links(columns [][]uint64, sizes []int) []link {
	all := len(columns[0])
	rows := min(all, linkSample)
	numbers := make([][]uint64, len(columns))
	costs := make([]float64, len(columns)) // of the sample's rows
	for i := 1; i < len(columns); i++ {
		numbers[i] = b.narrow(columns[i][:rows])
		costs[i] = min(columnCost(numbers[i]), float64(sizes[i])*float64(rows)/float64(all))
	}
	predicted := make([]uint64, rows)
	var out []link
	for context := 1; context < min(len(columns), linkContexts); context++ {
		now := columns[context][:rows]
		for _, by := range [][]uint64{now, rowBefore(nil, now)} {
			for column := 1; column < len(columns); column++ {
				if column == context || sizes[column] == 0 {
					continue
				}
				b.predict.predict(predicted, numbers[column], by)
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
func (b *Builder) narrow(values []uint64) []uint64 {
	if b.table.build(values) {
		return slices.Clone(b.table.index)
	}
	least, _ := bounds(values)
	out := make([]uint64, len(values))
	for i, v := range values {
		out[i] = v - least
	}
	return out
}

// contexts chooses for each column the link to its context, or none (nil), so that
// they gain the most together. Taking the most helpful link first may be a mistake: one
// that helps a large column a little may forbid those that make several small ones
// vanish. So it tries each link as the first one, and keeps to what gains more.
func contexts(columns int, links []link) []*link {
	first := make([]*link, 0, columns)
	best, most := chainLinks(columns, nil, links)
	if len(links) > linkMost {
		return best
	}
	for range columns {
		var better *link
		for i := range min(len(links), linkTries) {
			chosen, gain := chainLinks(columns, append(first, &links[i]), links)
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

// chainLinks takes links in their order, first those that must be tried first: each whose
// column has none yet, and that closes no circle and makes no chain of more than maxContexts.
func chainLinks(columns int, first []*link, links []link) (chosen []*link, gain float64) {
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
