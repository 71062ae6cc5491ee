package format

import (
	"sort"
	"sync/atomic"
)

// A table holds the entries of one dictionary of a segment, in runs. There is a gap
// between two runs where a block was lost. A table may grow while other goroutines look
// entries up.
type table[T any] struct {
	runs atomic.Pointer[[]run[T]]
}

type run[T any] struct {
	first uint32
	rows  []T
}

// get returns the entry with the ID.
func (t *table[T]) get(id uint32) (row T, ok bool) {
	p := t.runs.Load()
	if p == nil {
		return row, false
	}
	runs := *p
	i := len(runs) - 1
	if len(runs) > 1 {
		i = sort.Search(len(runs), func(i int) bool { return runs[i].first > id }) - 1
	}
	if i < 0 || id < runs[i].first || id-runs[i].first >= uint32(len(runs[i].rows)) {
		return row, false
	}
	return runs[i].rows[id-runs[i].first], true
}

// last returns the highest ID so far, 0 if there is none.
func (t *table[T]) last() uint32 {
	p := t.runs.Load()
	if p == nil {
		return 0
	}
	r := (*p)[len(*p)-1]
	return r.first + uint32(len(r.rows)) - 1
}

// add appends rows with IDs from first, which must be above last().
func (t *table[T]) add(first uint32, rows []T) {
	var old []run[T]
	if p := t.runs.Load(); p != nil {
		old = *p
	}
	// Runs that others can see never change: rows are appended beyond their length,
	// and a new list is published.
	runs := append(make([]run[T], 0, len(old)+1), old...)
	if n := len(runs); n > 0 && t.last()+1 == first {
		runs[n-1].rows = append(runs[n-1].rows, rows...)
	} else {
		runs = append(runs, run[T]{first, rows})
	}
	t.runs.Store(&runs)
}
