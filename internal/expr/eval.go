package expr

import (
	"bytes"

	"trapline/internal/glob"
)

// Values supplies the values of a predicate by scope index. ok is false if a value is
// unknown because it could not be read.
type Values interface {
	// Int returns the bits of an integer. Bits beyond the size of its type are ignored.
	Int(slot int) (v uint64, ok bool)
	// Text returns a string. It ends at its first NUL.
	Text(slot int) (text []byte, ok bool)
}

// Eval reports whether the predicate holds. known is false if a used value is unknown.
func (p *Predicate) Eval(v Values) (holds, known bool) {
	e := evaluation{values: v}
	holds = e.eval(p.Root) != 0
	return holds && !e.unknown, !e.unknown
}

type evaluation struct {
	values  Values
	unknown bool
}

// eval returns the value of a node, extended to 64 bits by its type.
func (e *evaluation) eval(n *Node) uint64 {
	switch n.Op {
	case OpInt:
		return n.Int
	case OpName:
		v, ok := e.values.Int(n.Slot)
		e.unknown = e.unknown || !ok
		return n.Type.Extend(v)
	case OpConvert:
		return n.Type.Extend(e.eval(n.X))
	case OpNegate:
		return n.Type.Extend(-e.eval(n.X))
	case OpComplement:
		return n.Type.Extend(^e.eval(n.X))
	case OpNot:
		return truth(e.eval(n.X) == 0)
	case OpAnd:
		return truth(e.eval(n.X) != 0 && e.eval(n.Y) != 0)
	case OpOr:
		return truth(e.eval(n.X) != 0 || e.eval(n.Y) != 0)
	}
	if n.X.Type == Text {
		text, ok := e.values.Text(n.X.Slot)
		e.unknown = e.unknown || !ok
		text = text[:min(len(text), MaxText)]
		if end := bytes.IndexByte(text, 0); end >= 0 {
			text = text[:end]
		}
		return truth(compareText(n.Op, text, n.Y.Text))
	}
	x, y := e.eval(n.X), e.eval(n.Y)
	if n.Op.Compares() {
		return truth(compare(n.Op, n.X.Type, x, y))
	}
	return n.Type.Extend(calculate(n.Op, n.Type, x, y))
}

func compareText(op Op, text []byte, constant string) bool {
	switch op {
	case OpEqual:
		return string(text) == constant
	case OpNotEqual:
		return string(text) != constant
	}
	pattern, err := glob.Parse(constant)
	if err != nil {
		return false // Check refuses such a pattern
	}
	return pattern.Match(string(text)) == (op == OpMatch)
}

// compare compares two values of a type.
func compare(op Op, t Type, x, y uint64) bool {
	switch op {
	case OpEqual:
		return x == y
	case OpNotEqual:
		return x != y
	case OpLess:
		return t.less(x, y)
	case OpLessEqual:
		return !t.less(y, x)
	case OpGreater:
		return t.less(y, x)
	default:
		return !t.less(x, y)
	}
}

// calculate returns the result of an operation on two values of a type.
func calculate(op Op, t Type, x, y uint64) uint64 {
	count := y & (8*uint64(t.Size) - 1) // of a shift
	switch op {
	case OpBitOr:
		return x | y
	case OpBitXor:
		return x ^ y
	case OpBitAnd:
		return x & y
	case OpShiftLeft:
		return x << count
	case OpShiftRight:
		if t.Signed {
			return uint64(int64(x) >> count)
		}
		return x >> count
	case OpAdd:
		return x + y
	case OpSubtract:
		return x - y
	case OpMultiply:
		return x * y
	}
	remainder := op == OpRemainder
	switch {
	case y == 0 && remainder:
		return x
	case y == 0:
		return 0
	case t.Signed && remainder:
		return uint64(int64(x) % int64(y)) // the least value and -1 give 0 in Go
	case t.Signed:
		return uint64(int64(x) / int64(y))
	case remainder:
		return x % y
	}
	return x / y
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
