package column

// Recipes returns a good recipe for each column of a table. Trying them takes some 15 ms
// for 16,384 rows. The first column is not predicted, nor does it predict others: it is
// for times, of which no two are the same.
func (b *Builder) Recipes(columns [][]uint64, ids []uint16) []Recipe {
	recipes := make([]Recipe, len(columns))
	sizes := make([]int, len(columns))
	for i, values := range columns {
		if i == 0 {
			recipes[i], sizes[i] = b.best(values, nil, Plain, Delta)
		} else {
			recipes[i], sizes[i] = b.best(values, nil, Plain, Delta, Table)
		}
	}
	for i, l := range contexts(len(columns), b.links(columns, sizes)) {
		if l == nil {
			continue
		}
		id, context := ids[l.context], columns[l.context]
		if l.before {
			id |= ContextBefore
			b.before = rowBefore(b.before[:0], context)
			context = b.before
		}
		if r, size := b.best(columns[i], context, Plain, Table); size < sizes[i] {
			r.Context = id
			recipes[i] = r
		}
	}
	return recipes
}
