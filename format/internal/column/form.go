package column

// A Transform turns the values of a column into the numbers that its planes store.
type Transform uint8

const (
	Plain Transform = iota // value - base
	Delta                  // zigzag of the difference from the previous value; base precedes the first
	Table                  // position in the table that follows the column
)

// TableColumn is the ID bit that distinguishes a column's table of values from the column.
const TableColumn = 1

// The byte form in a column's header: the transform in the two low bits, whether the
// numbers are tokens, and the number of planes.
const (
	formTransform = 3
	formTokens    = 4
	formPlanes    = 4 // shift
)

// planeCompressed is the low bit of a stored plane length. It marks a zstd frame.
const planeCompressed = 1

// A Recipe tells how to encode a column.
type Recipe struct {
	Transform Transform
	Context   uint16 // ID of the column that predicts this one, 0 for none; with ContextBefore, by its previous row
	Tokens    bool   // store numbers as tokens, unless one is too large
	Unit      uint16 // values are rounded down to multiples of this; 0 means 1
}
