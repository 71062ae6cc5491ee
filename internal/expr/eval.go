package expr

import "bytes"

// Values are what a predicate is evaluated over, by their index in its scope.
type Values interface {
	// Int returns the bits of an integer. Those beyond the size of its type do not count.
	Int(slot int) uint64
	// Text returns a text, which ends at its first NUL at the latest.
	Text(slot int) []byte
}

// Eval reports whether the predicate holds.
func (p *Predicate) Eval(v Values) bool { return eval(p.Root, v) != 0 }

// eval returns a node's value, extended to 64 bits by its type.
func eval(n *Node, v Values) uint64 {
	switch n.Op {
	case OpInt:
		return n.Int
	case OpName:
		return n.Type.Extend(v.Int(n.Slot))
	case OpConvert:
		return n.Type.Extend(eval(n.X, v))
	case OpNegate:
		return n.Type.Extend(-eval(n.X, v))
	case OpComplement:
		return n.Type.Extend(^eval(n.X, v))
	case OpNot:
		return truth(eval(n.X, v) == 0)
	case OpAnd:
		return truth(eval(n.X, v) != 0 && eval(n.Y, v) != 0)
	case OpOr:
		return truth(eval(n.X, v) != 0 || eval(n.Y, v) != 0)
	}
	if n.X.Type == Text {
		text := v.Text(n.X.Slot)
		text = text[:min(len(text), MaxText)]
		if end := bytes.IndexByte(text, 0); end >= 0 {
			text = text[:end]
		}
		return truth(compareText(n.Op, text, n.Y.Text))
	}
	x, y := eval(n.X, v), eval(n.Y, v)
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
	g, err := NewGlob(constant)
	if err != nil {
		return false // Check does not let such a pattern pass
	}
	return g.Match(text) == (op == OpMatch)
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
		return uint64(int64(x) % int64(y)) // of the least value and -1: Go has 0 and wraps
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
