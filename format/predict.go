package format

// Predicted columns. Many columns follow from another one: the call site decides
// the size of an allocation, the task its name. For such a column the value
// expected in a row is the one that stood with the same value of the other
// column, its context, the last time. What is stored is how the value differs
// from that: 0 for "as expected".

// predictBits is the logarithm of the number of expected values kept. Contexts
// share them by hash: a clash costs a wrong guess, in the writer and the reader alike.
const predictBits = 12

// maxContexts is how many columns must be decoded at most before a predicted one can be.
const maxContexts = 3

// contextBefore is the bit of a context's ID that makes the context of a row the
// value in the row before: the task that a CPU switches to is in its next hit.
const contextBefore = 1

// shift appends 0 and all values but the last to dst: each is that of the row before.
func shift(dst, values []uint64) []uint64 {
	if len(values) == 0 {
		return dst
	}
	return append(append(dst, 0), values[:len(values)-1]...)
}

type predictor [1 << predictBits]uint64

// slot is the place for a context: Fibonacci hashing.
func slot(context uint64) uint64 {
	return (context * 0x9e3779b97f4a7c15) >> (64 - predictBits)
}

// predict sets dst to the numbers to be stored for values. An expected value is
// moved to the front of the number line: 0 stands for it, and what was below it
// moves up by one.
func (p *predictor) predict(dst, values, context []uint64) {
	clear(p[:])
	dst, context = dst[:len(values)], context[:len(values)]
	for i, v := range values {
		e := &p[slot(context[i])]
		x := v
		if v == *e {
			x = 0
		} else if v < *e {
			x = v + 1
		}
		*e = v
		dst[i] = x
	}
}

// restore is the inverse of predict, in place. p is new.
func (p *predictor) restore(values, context []uint64) {
	context = context[:len(values)]
	for i, x := range values {
		e := &p[slot(context[i])]
		v := x
		if x == 0 {
			v = *e
		} else if x <= *e {
			v = x - 1
		}
		*e = v
		values[i] = v
	}
}

// misses counts the values that are not as expected; false if they are more than limit.
func (p *predictor) misses(values, context []uint64, limit int) (n int, ok bool) {
	clear(p[:])
	context = context[:len(values)]
	for i, v := range values {
		e := &p[slot(context[i])]
		if v != *e {
			if n++; n > limit {
				return n, false
			}
		}
		*e = v
	}
	return n, true
}
