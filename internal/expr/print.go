package expr

import "strings"

// String returns the canonical spelling of the expression, which parses to the same
// expression.
func (e *Expr) String() string {
	var b strings.Builder
	e.root.print(&b)
	return b.String()
}

// String returns the canonical spelling of the predicate, with the first names of its
// variables.
func (p *Predicate) String() string {
	var b strings.Builder
	p.Root.print(&b)
	return b.String()
}

func (n *Node) print(b *strings.Builder) {
	switch {
	case n.Op == OpConvert:
		n.X.print(b)
	case n.Op == OpText:
		quote(b, n.Text)
	case n.Op.unary():
		b.WriteString(spelling[n.Op])
		n.X.printOperand(b, n.X.unconverted().Op.binary())
	case n.Op.binary():
		x, y := n.X.unconverted(), n.Y.unconverted()
		n.X.printOperand(b, x.loose(n) || x.Op.binary() && precedence[x.Op] < precedence[n.Op])
		b.WriteString(" " + spelling[n.Op] + " ")
		n.Y.printOperand(b, y.loose(n) || y.Op.binary() && precedence[y.Op] <= precedence[n.Op])
	default:
		b.WriteString(n.Text)
	}
}

func (n *Node) printOperand(b *strings.Builder, parentheses bool) {
	if parentheses {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	n.print(b)
}

// unconverted removes implicit conversions from a node.
func (n *Node) unconverted() *Node {
	for n.Op == OpConvert {
		n = n.X
	}
	return n
}

// quote writes a string as the lexer reads it.
func quote(b *strings.Builder, s string) {
	const hex = "0123456789abcdef"
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			b.WriteString(`\x`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}
