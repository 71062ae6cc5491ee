package expr

import (
	"fmt"
	"strconv"

	"trapline/internal/glob"
)

// Check resolves names in a scope and determines types. Errors have type [*Error]. Check
// does not change the expression, which can be checked in several scopes.
func (e *Expr) Check(s *Scope) (*Predicate, error) {
	c := checker{source: e.source, scope: s}
	root, err := c.integer(e.root, "a condition")
	if err != nil {
		return nil, err
	}
	return &Predicate{Root: root, scope: s}, nil
}

type checker struct {
	source string
	scope  *Scope
}

func (c *checker) fail(n *Node, format string, args ...any) error {
	return &Error{c.source, n.Offset, n.End - n.Offset, fmt.Sprintf(format, args...)}
}

// integer checks a node that must be a number.
func (c *checker) integer(n *Node, what string) (*Node, error) {
	checked, err := c.node(n)
	if err != nil {
		return nil, err
	}
	if checked.Type == Text {
		return nil, c.fail(n, "%s must be a number, and this is a string: compare it by == != ~ or !~", what)
	}
	return checked, nil
}

func (c *checker) node(n *Node) (*Node, error) {
	out := *n
	switch {
	case n.Op == OpInt || n.Op == OpText:
		return &out, nil
	case n.Op == OpName:
		slot, message := c.scope.lookup(n.Text)
		if message != "" {
			return nil, c.fail(n, "%s", message)
		}
		v := c.scope.vars[slot]
		out.Text, out.Slot, out.Type = v.Name, slot, v.Type
		return &out, nil
	case n.Op.unary():
		return c.unary(out)
	case n.Op == OpAnd || n.Op == OpOr:
		return c.logical(out)
	case n.Op == OpMatch || n.Op == OpNotMatch:
		return c.match(out)
	}
	x, err := c.node(n.X)
	if err != nil {
		return nil, err
	}
	if n.Op.Compares() && x.Type == Text {
		return c.compareText(out, x)
	}
	y, err := c.node(n.Y)
	if err != nil {
		return nil, err
	}
	if n.Op.Compares() && y.Type == Text && n.X.Op == OpText {
		return c.compareText(out, x)
	}
	if x.Type == Text || y.Type == Text {
		wrong := n.X
		if y.Type == Text {
			wrong = n.Y
		}
		if n.Op.Compares() {
			return nil, c.fail(wrong, "%s compares a number with a string", spelling[n.Op])
		}
		return nil, c.fail(wrong, "%s takes numbers, and this is a string", spelling[n.Op])
	}
	if n.Op.Compares() {
		return c.compare(out, x, y)
	}
	return c.arithmetic(out, x, y)
}

func (c *checker) unary(n Node) (*Node, error) {
	x, err := c.integer(n.X, "the operand of "+spelling[n.Op])
	if err != nil {
		return nil, err
	}
	n.X, n.Type = converted(x, x.Type.promoted()), x.Type.promoted()
	if n.Op == OpNot {
		n.Type = S32
	}
	return fold(&n), nil
}

func (c *checker) logical(n Node) (_ *Node, err error) {
	what := "each side of " + spelling[n.Op]
	if n.X, err = c.integer(n.X, what); err != nil {
		return nil, err
	}
	if n.Y, err = c.integer(n.Y, what); err != nil {
		return nil, err
	}
	n.Type = S32
	return &n, nil
}

// match checks x ~ "pattern".
func (c *checker) match(n Node) (*Node, error) {
	x, err := c.node(n.X)
	if err != nil {
		return nil, err
	}
	if x.Type != Text || x.Op != OpName {
		return nil, c.fail(n.X, "%s compares a string with a pattern, and this is not a string", spelling[n.Op])
	}
	y, ok := c.literal(n.Y)
	if !ok {
		return nil, c.fail(n.Y, "a pattern must be in quotes")
	}
	pattern, err := glob.Parse(y.Text)
	if err == nil {
		_, err = glob.Compile(pattern)
	}
	if err != nil {
		return nil, c.fail(n.Y, "%v", err)
	}
	n.X, n.Y, n.Type = x, y, S32
	return &n, nil
}

// compareText checks == and != of strings. One side must be a constant.
func (c *checker) compareText(n Node, x *Node) (*Node, error) {
	if n.Op != OpEqual && n.Op != OpNotEqual {
		return nil, c.fail(&n, "strings are compared by == != ~ and !~")
	}
	if x.Op == OpText { // move the constant to the right
		y, err := c.node(n.Y)
		if err != nil {
			return nil, err
		}
		if y.Type != Text || y.Op != OpName {
			return nil, c.fail(n.Y, "%s compares a string with this, which is not a named string", spelling[n.Op])
		}
		n.X, n.Y, n.Type = y, x, S32
		return &n, nil
	}
	y, ok := c.literal(n.Y)
	if !ok {
		return nil, c.fail(n.Y, "%s is a string, and can be compared with a text in quotes only", x.Text)
	}
	n.X, n.Y, n.Type = x, y, S32
	return &n, nil
}

// literal returns a constant string: quoted, or a bare word as in ftrace.
func (c *checker) literal(n *Node) (*Node, bool) {
	if n.Op == OpText {
		return n, true
	}
	if n.Op == OpName && !c.scope.Has(n.Text) {
		word := *n
		word.Op = OpText
		return &word, true
	}
	return nil, false
}

func (c *checker) compare(n Node, x, y *Node) (*Node, error) {
	t := common(x.Type, y.Type)
	if err := c.decided(&n, n.X, x, y, t, n.Op); err != nil {
		return nil, err
	}
	if err := c.decided(&n, n.Y, y, x, t, mirrored(n.Op)); err != nil {
		return nil, err
	}
	n.X, n.Y, n.Type = converted(x, t), converted(y, t), S32
	return fold(&n), nil
}

// mirrored returns the operator for swapped operands.
func mirrored(op Op) Op {
	switch op {
	case OpLess:
		return OpGreater
	case OpLessEqual:
		return OpGreaterEqual
	case OpGreater:
		return OpLess
	case OpGreaterEqual:
		return OpLessEqual
	}
	return op
}

// decided rejects comparisons with constants whose result follows from the type alone,
// such as retval < 0 for an unsigned retval.
func (c *checker) decided(n, written, v, constant *Node, t Type, op Op) error {
	if v.Op != OpName || constant.Op != OpInt {
		return nil
	}
	least, greatest := t.bounds()
	if v.Type.Size < t.Size || v.Type == t { // otherwise the conversion can wrap to any value
		if !v.Type.Signed || t.Signed {
			least, greatest = v.Type.bounds()
		}
	}
	k := converted(constant, t).Int
	always := false
	switch op {
	case OpEqual, OpNotEqual:
		if !t.less(k, least) && !t.less(greatest, k) {
			return nil
		}
		always = op == OpNotEqual
	case OpLess, OpGreaterEqual:
		switch {
		case !t.less(least, k):
			always = op == OpGreaterEqual
		case t.less(greatest, k):
			always = op == OpLess
		default:
			return nil
		}
	case OpGreater, OpLessEqual:
		switch {
		case !t.less(k, greatest):
			always = op == OpLessEqual
		case t.less(k, least):
			always = op == OpGreater
		default:
			return nil
		}
	}
	low, high := formatInt(v.Type, true), formatInt(v.Type, false)
	return c.fail(n, "this is %t whatever %s is: %s is %s, from %s to %s", always, written.Text, written.Text, v.Type, low, high)
}

func formatInt(t Type, least bool) string {
	low, high := t.bounds()
	v := high
	if least {
		v = low
	}
	if t.Signed {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatUint(v, 10)
}

func (c *checker) arithmetic(n Node, x, y *Node) (*Node, error) {
	switch n.Op {
	case OpShiftLeft, OpShiftRight:
		n.Type = x.Type.promoted()
		if y.Op == OpInt && y.Int >= 8*uint64(n.Type.Size) {
			return nil, c.fail(n.Y, "a shift of %s must be by 0 to %d", n.Type, 8*n.Type.Size-1)
		}
		n.X, n.Y = converted(x, n.Type), converted(y, y.Type.promoted())
	case OpDivide, OpRemainder:
		if y.Op == OpInt && y.Int == 0 {
			return nil, c.fail(n.Y, "division by 0")
		}
		fallthrough
	default:
		n.Type = common(x.Type, y.Type)
		n.X, n.Y = converted(x, n.Type), converted(y, n.Type)
	}
	return fold(&n), nil
}

// converted returns a node converted to a type that is at least as wide.
func converted(n *Node, t Type) *Node {
	switch {
	case n.Type == t:
		return n
	case n.Op == OpInt:
		k := *n
		k.Int, k.Type = t.Extend(n.Int), t
		return &k
	}
	return &Node{Op: OpConvert, X: n, Type: t, Offset: n.Offset, End: n.End}
}

// fold evaluates an operation on constants.
func fold(n *Node) *Node {
	if n.X.Op != OpInt || n.Y != nil && n.Y.Op != OpInt {
		return n
	}
	v := new(evaluation).eval(n)
	text := strconv.FormatUint(v, 10)
	if n.Type.Signed {
		text = strconv.FormatInt(int64(v), 10)
	}
	return &Node{Op: OpInt, Int: v, Type: n.Type, Text: text, Offset: n.Offset, End: n.End}
}
