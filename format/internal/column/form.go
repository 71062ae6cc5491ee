package column

// A Transform is how the values of a column become the numbers in its planes.
type Transform uint8

const (
	Plain Transform = iota // value - base
	Delta                  // zigzag of the difference from the value before; base before the first
	Table                  // position in the column of values that follows
)

// TableColumn is the bit that tells a column's table of values from the column.
const TableColumn = 1

// The byte of a column's header that says how it is stored: its transform in the
// two low bits, whether its numbers are tokens, and how many planes there are.
const (
	formTransform = 3
	formTokens    = 4
	formPlanes    = 4 // shift
)

// planeCompressed marks a plane length, shifted, whose plane is a zstd frame.
const planeCompressed = 1

// A Recipe is how a column is encoded.
type Recipe struct {
	Transform Transform
	Context   uint16 // ID of the column that predicts this one, 0 for none; with ContextBefore by the row before
	Tokens    bool   // numbers are stored as tokens, if none is too large for that
	Unit      uint16 // what the numbers count, so that values are rounded down to multiples of it; 0: 1
}
