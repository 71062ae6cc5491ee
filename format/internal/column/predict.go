package column

// Predicted columns. Many columns follow from another one: the call site decides
// the size of an allocation, the task its name. For such a column the values
// expected in a row are those that stood with the same value of the other column,
// its context, lately. What is stored is the place of the value among these, the
// latest first: 0 for "the same as the last time". A value that is none of them is
// stored by its distance from the latest: memory of one kind lies close together, and
// the next new stack is numbered after the last one.

// predictBits is the logarithm of the number of expected values kept. Contexts
// share them by hash: a clash costs a wrong guess, in the writer and the reader alike.
const predictBits = 12

// predictWays is how many different values are expected with a context. Places are
// small numbers, which zstd's Huffman codes make short; more than 4 gain no more.
const predictWays = 4

// maxPredicted is the highest number that can be predicted: distances of the ones above it,
// as of small negative values, might have no room.
const maxPredicted = 1<<62 - 1

// maxContexts is how many columns must be decoded at most before a predicted one can be.
const maxContexts = 3

// ContextBefore is the bit of a context's ID that makes the context of a row the
// value in the row before: the task that a CPU switches to is in its next hit.
const ContextBefore = 1

// rowBefore appends 0 and all values but the last to dst: each is that of the row before.
func rowBefore(dst, values []uint64) []uint64 {
	if len(values) == 0 {
		return dst
	}
	return append(append(dst, 0), values[:len(values)-1]...)
}

// A predictor has the values expected with each context, the latest first.
type predictor [1 << predictBits][predictWays]uint64

// expected returns the place for a context: Fibonacci hashing.
func (p *predictor) expected(context uint64) *[predictWays]uint64 {
	return &p[(context*0x9e3779b97f4a7c15)>>(64-predictBits)]
}

// predict sets dst to the numbers to be stored for values.
func (p *predictor) predict(dst, values, context []uint64) {
	clear(p[:])
	dst, context = dst[:len(values)], context[:len(values)]
	for i, v := range values {
		e := p.expected(context[i])
		switch a, b, c := e[0], e[1], e[2]; v {
		case a:
			dst[i] = 0
		case b:
			dst[i] = 1
			e[0], e[1] = v, a
		case c:
			dst[i] = 2
			e[0], e[1], e[2] = v, a, b
		case e[3]:
			dst[i] = 3
			e[0], e[1], e[2], e[3] = v, a, b, c
		default:
			dst[i] = zigzag(v-a) + predictWays
			e[0], e[1], e[2], e[3] = v, a, b, c
		}
	}
}

// restore is the inverse of predict, in place. p is new.
func (p *predictor) restore(values, context []uint64) {
	context = context[:len(values)]
	for i, x := range values {
		e := p.expected(context[i])
		switch a, b, c := e[0], e[1], e[2]; x {
		case 0:
			values[i] = a
		case 1:
			values[i] = b
			e[0], e[1] = b, a
		case 2:
			values[i] = c
			e[0], e[1], e[2] = c, a, b
		case 3:
			values[i] = e[3]
			e[0], e[1], e[2], e[3] = e[3], a, b, c
		default:
			v := a + unzigzag(x-predictWays)
			values[i] = v
			e[0], e[1], e[2], e[3] = v, a, b, c
		}
	}
}
