package column

import "math"

// columnCost estimates how many bytes numbers take: the entropy of their planes or that of
// their tokens plus the bits that follow, whichever is less.
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

// entropy returns the number of bits that n bytes with these counts take.
func entropy(counts *[256]int, n int) (bits float64) {
	for _, c := range counts {
		if c > 0 {
			bits += float64(c) * math.Log2(float64(n)/float64(c))
		}
	}
	return bits
}
