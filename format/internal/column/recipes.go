package column

// Recipes returns a good recipe for each of several columns of the same length. Trying them
// takes about 15 ms for 16,384 rows. Column 0 is neither predicted nor a context: it holds
// times, no two of which are equal.
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
