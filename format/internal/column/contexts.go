package column

import (
	"cmp"
	"slices"
)

const (
	linkSample   = 4096 // rows to consider when choosing contexts
	linkContexts = 32   // leading columns that may be contexts
	linkTries    = 128  // links to try as the first one
	linkMost     = 2048 // with more, as large arrays have, try none as the first one
)

// A link is a column and another one that may predict it.
type link struct {
	column, context int
	before          bool    // predict from the previous row
	gain            float64 // estimated bytes saved
}

// links returns the pairs of columns where one helps to predict the other, most helpful
// first. sizes holds the encoded sizes of the columns without prediction.
func (b *Builder) links(columns [][]uint64, sizes []int) []link {
	all := len(columns[0])
	rows := min(all, linkSample)
	numbers := make([][]uint64, len(columns))
	costs := make([]float64, len(columns)) // of the sampled rows
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

// narrow maps values to small numbers: positions in a table, or distances from the smallest
// value.
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

// contexts chooses the link to the context of each column, or nil for none, to maximize the
// total gain. Greedily taking the most helpful link is not always best: one that helps a
// large column a little may exclude several that make small columns vanish. So contexts
// tries each link first, keeps the best, and repeats while that gains more.
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

// chainLinks takes the links in first and then the others, in order. It skips a link if its
// column already has one, if it would close a cycle, or if it would make a chain longer than
// maxContexts.
func chainLinks(columns int, first []*link, links []link) (chosen []*link, gain float64) {
	chosen = make([]*link, columns)
	height := make([]int, columns) // length of the longest chain that ends at the column
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
