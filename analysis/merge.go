package analysis

import (
	"cmp"
	"container/heap"
	"slices"

	"trapline/format"
)

// A merge iterates over the hits of several blocks in time order. Since blocks are
// nearly in order, it decodes only those that overlap. Hits with equal times keep
// the order of the file.
type merge struct {
	heap mergeHeap
	want rowColumns
	errs []error
}

// A mergeBlock is a block with the position of its next hit.
type mergeBlock struct {
	hits  *format.Hits
	seq   int // position in the file
	time  uint64
	rows  *rows   // nil until decoded
	order []int32 // row numbers by time
}

func newMerge(blocks []*format.Hits, want rowColumns) *merge {
	m := &merge{want: want}
	for i, h := range blocks {
		if h.Rows > 0 {
			m.heap = append(m.heap, &mergeBlock{hits: h, seq: i, time: h.TimeMin})
		}
	}
	heap.Init(&m.heap)
	return m
}

// next returns the next hit, as a row of a block.
func (m *merge) next() (*rows, int, bool) {
	for len(m.heap) > 0 {
		b := m.heap[0]
		if b.rows == nil {
			if err := b.open(m.want); err != nil {
				m.errs = append(m.errs, err)
				heap.Pop(&m.heap)
				continue
			}
			// TimeMin may be wrong in a damaged file, so order by the actual times.
			heap.Fix(&m.heap, 0)
			continue
		}
		rows, r := b.rows, int(b.order[0])
		if b.order = b.order[1:]; len(b.order) == 0 {
			heap.Pop(&m.heap)
		} else {
			b.time = rows.time[b.order[0]]
			heap.Fix(&m.heap, 0)
		}
		return rows, r, true
	}
	return nil, 0, false
}

func (b *mergeBlock) open(want rowColumns) error {
	r, err := decodeRows(b.hits, want)
	if err != nil {
		return err
	}
	b.order = make([]int32, len(r.time))
	for i := range b.order {
		b.order[i] = int32(i)
	}
	slices.SortStableFunc(b.order, func(i, j int32) int { return cmp.Compare(r.time[i], r.time[j]) })
	b.rows, b.time = r, r.time[b.order[0]]
	b.hits = nil
	return nil
}

type mergeHeap []*mergeBlock

func (h mergeHeap) Len() int      { return len(h) }
func (h mergeHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h mergeHeap) Less(i, j int) bool {
	return h[i].time < h[j].time || h[i].time == h[j].time && h[i].seq < h[j].seq
}
func (h *mergeHeap) Push(x any) { *h = append(*h, x.(*mergeBlock)) }
func (h *mergeHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
