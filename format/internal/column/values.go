package column

// bounds returns the smallest and the largest value. It does not use min and max: their
// results depend on each other, while these branches are almost always predicted.
func bounds(values []uint64) (lo, hi uint64) {
	if len(values) == 0 {
		return 0, 0
	}
	lo, hi = values[0], values[0]
	for _, v := range values {
		if v < lo {
			lo = v
		} else if v > hi {
			hi = v
		}
	}
	return lo, hi
}

// union returns the bitwise OR of all values.
func union(values []uint64) uint64 {
	var a, b, c, d uint64
	for ; len(values) >= 4; values = values[4:] {
		a |= values[0]
		b |= values[1]
		c |= values[2]
		d |= values[3]
	}
	for _, v := range values {
		a |= v
	}
	return a | b | c | d
}

func grow(s []uint64, n int) []uint64 {
	if cap(s) < n {
		return make([]uint64, n)
	}
	return s[:n]
}
