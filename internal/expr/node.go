package expr

// An Op is the operation of a [Node].
type Op uint8

const (
	OpInt  Op = iota // a constant
	OpText           // a quoted string, which only string comparisons take
	OpName           // a named value

	OpNegate     // -x
	OpComplement // ~x
	OpNot        // !x

	OpOr  // x || y
	OpAnd // x && y

	OpBitOr
	OpBitXor
	OpBitAnd
	OpEqual
	OpNotEqual
	OpMatch    // x ~ "pattern"
	OpNotMatch // x !~ "pattern"
	OpLess
	OpLessEqual
	OpGreater
	OpGreaterEqual
	OpShiftLeft
	OpShiftRight
	OpAdd
	OpSubtract
	OpMultiply
	OpDivide
	OpRemainder

	// OpConvert converts X to the node's type. Check adds it where C converts implicitly:
	// both operands of arithmetic and of comparisons have the same type. Only converting
	// a signed value to u32 changes the extended value.
	OpConvert
)

// A Node is one operation of an expression, with its operands.
type Node struct {
	Op          Op
	X, Y        *Node  // operands; Y of binary operations only
	Int         uint64 // OpInt: the value, extended to 64 bits by its type
	Text        string // OpText: unquoted; OpName: the name; OpInt: its spelling
	Offset, End int    // bytes of the source

	// Type is the result type and Slot the scope index of an OpName. Check sets both.
	Type Type
	Slot int

	parenthesized bool
}

// operators are the binary operators with their precedence in C.
var operators = map[string]struct {
	op         Op
	precedence int
}{
	"||": {OpOr, 1}, "&&": {OpAnd, 2}, "|": {OpBitOr, 3}, "^": {OpBitXor, 4}, "&": {OpBitAnd, 5},
	"==": {OpEqual, 6}, "!=": {OpNotEqual, 6}, "~": {OpMatch, 6}, "!~": {OpNotMatch, 6},
	"<": {OpLess, 7}, "<=": {OpLessEqual, 7}, ">": {OpGreater, 7}, ">=": {OpGreaterEqual, 7},
	"<<": {OpShiftLeft, 8}, ">>": {OpShiftRight, 8}, "+": {OpAdd, 9}, "-": {OpSubtract, 9},
	"*": {OpMultiply, 10}, "/": {OpDivide, 10}, "%": {OpRemainder, 10},
}

var spelling, precedence = func() (s map[Op]string, p map[Op]int) {
	s = map[Op]string{OpNegate: "-", OpComplement: "~", OpNot: "!"}
	p = make(map[Op]int)
	for text, o := range operators {
		s[o.op], p[o.op] = text, o.precedence
	}
	return s, p
}()

// Compares reports whether the operation is a comparison of two values.
func (op Op) Compares() bool { return op >= OpEqual && op <= OpGreaterEqual }

func (op Op) unary() bool { return op >= OpNegate && op <= OpNot }

func (op Op) binary() bool { return op >= OpOr && op <= OpRemainder }

// walk calls visit for a node and all nodes below it.
func (n *Node) walk(visit func(*Node)) {
	if n != nil {
		visit(n)
		n.X.walk(visit)
		n.Y.walk(visit)
	}
}

// loose reports whether a comparison needs parentheses because C parses it in a surprising
// way: x & 1 == 1 is x & (1 == 1), and 0 < x < 9 is (0 < x) < 9.
func (n *Node) loose(parent *Node) bool {
	return n.Op.Compares() && (parent.Op.Compares() || parent.Op >= OpBitOr && parent.Op <= OpBitAnd)
}
