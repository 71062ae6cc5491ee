package column

import "slices"

// A valueTable maps the values of a column to positions in the sorted list of distinct
// values. It suits columns where few values of a wide range repeat: sizes, flags, pointers
// to memory that is freed and reused.
type valueTable struct {
	values []uint64 // distinct, sorted
	index  []uint64 // position in values, one per row

	slots []uint32 // open addressing: 1 + number of a value
	pairs []numbered
	spare []numbered
	order []uint32 // from number to position
}

// A numbered is a value with the number of its first occurrence.
type numbered struct {
	value  uint64
	number uint32
}

// build fills the table. It returns false if too few values repeat.
func (t *valueTable) build(values []uint64) bool {
	limit := len(values) - len(values)/8
	bits := 6
	for 1<<bits < 2*len(values) {
		bits++
	}
	if len(t.slots) != 1<<bits {
		t.slots = make([]uint32, 1<<bits)
	} else {
		clear(t.slots)
	}
	t.index, t.pairs = grow(t.index, len(values)), t.pairs[:0]
	mask := uint64(1)<<bits - 1
	for i, v := range values {
		at := (v * 0x9e3779b97f4a7c15) >> (64 - bits)
		for t.slots[at] != 0 && t.pairs[t.slots[at]-1].value != v {
			at = (at + 1) & mask
		}
		if t.slots[at] == 0 {
			if len(t.pairs) >= limit {
				return false
			}
			t.pairs = append(t.pairs, numbered{v, uint32(len(t.pairs))})
			t.slots[at] = uint32(len(t.pairs))
		}
		t.index[i] = uint64(t.slots[at] - 1)
	}
	t.sort()
	t.values = t.values[:0]
	t.order = slices.Grow(t.order[:0], len(t.pairs))[:len(t.pairs)]
	for position, p := range t.pairs {
		t.values = append(t.values, p.value)
		t.order[p.number] = uint32(position)
	}
	for i, number := range t.index {
		t.index[i] = uint64(t.order[number])
	}
	return true
}

// sort sorts the pairs by value. It uses a radix sort, because a comparison sort of
// thousands of values would take longer than everything else.
func (t *valueTable) sort() {
	if len(t.pairs) < 128 {
		slices.SortFunc(t.pairs, func(a, b numbered) int {
			if a.value < b.value {
				return -1
			}
			return 1 // values differ
		})
		return
	}
	lo, hi := t.pairs[0].value, t.pairs[0].value
	for _, p := range t.pairs {
		lo, hi = min(lo, p.value), max(hi, p.value)
	}
	from, to := t.pairs, slices.Grow(t.spare[:0], len(t.pairs))[:len(t.pairs)]
	for k := range planeWidth(hi - lo) {
		shift := uint(8*k) & 63
		var starts [256]int
		for _, p := range from {
			starts[byte((p.value-lo)>>shift)]++
		}
		sum := 0
		for i, n := range starts {
			starts[i] = sum
			sum += n
		}
		for _, p := range from {
			b := byte((p.value - lo) >> shift)
			to[starts[b]] = p
			starts[b]++
		}
		from, to = to, from
	}
	t.pairs, t.spare = from, to
}
