package column

// Many columns depend on another one, their context: the call site determines the size of
// an allocation, the task its name. Prediction keeps, for each value of the context, the
// values last seen with it. A column then stores the rank of each value among these,
// latest first: 0 means "same as last time". Any other value is stored as its distance
// from the latest one, because memory of one kind lies close together and new stacks are
// numbered consecutively.

// predictBits is the binary logarithm of the number of slots. A hash assigns contexts to
// slots. A collision costs a wrong guess, in the writer and the reader alike.
const predictBits = 12

// predictWays is the number of values kept per slot. Ranks are small numbers, which zstd's
// Huffman codes make short. More than 4 gain nothing.
const predictWays = 4

// maxPredicted is the largest number that can be predicted. Distances between larger ones,
// such as small negative values, could overflow.
const maxPredicted = 1<<62 - 1

// maxContexts is the maximum number of columns to decode before a predicted one.
const maxContexts = 3

// ContextBefore is a bit of a context's ID. It makes the previous row's value the context:
// the next hit of a CPU is in the task that the CPU switched to.
const ContextBefore = 1

// rowBefore appends 0 and all values but the last to dst, so that each row gets the value
// of the previous one.
func rowBefore(dst, values []uint64) []uint64 {
	if len(values) == 0 {
		return dst
	}
	return append(append(dst, 0), values[:len(values)-1]...)
}

// A predictor holds the values expected with each context, latest first.
type predictor [1 << predictBits][predictWays]uint64

// expected returns the slot of a context, by Fibonacci hashing.
func (p *predictor) expected(context uint64) *[predictWays]uint64 {
	return &p[(context*0x9e3779b97f4a7c15)>>(64-predictBits)]
}

// predict sets dst to the numbers that stand for values.
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

// restore is the inverse of predict, in place. p must be zero.
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
