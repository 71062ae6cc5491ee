package expr

import (
	"fmt"
	"strings"
)

// Parse parses an expression. The slashes around a bpftrace predicate are optional. Errors
// have type [*Error].
func Parse(source string) (*Expr, error) {
	if len(source) > maxSource {
		return nil, &Error{source[:64], 0, 64, fmt.Sprintf("expression longer than %d bytes", maxSource)}
	}
	p := parser{lexer: lexer{given: source, source: source}}
	if inner := strings.TrimSpace(source); len(inner) >= 2 && inner[0] == '/' && inner[len(inner)-1] == '/' {
		open, end := strings.IndexByte(source, '/'), strings.LastIndexByte(source, '/')
		p.lexer.source = source[:open] + " " + source[open+1:end] + " " + source[end+1:]
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.token.kind == tokenEnd {
		return nil, p.fail(p.token, "empty expression")
	}
	root, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.token.kind != tokenEnd {
		return nil, p.fail(p.token, "an operator must come before "+p.lexer.source[p.token.offset:p.token.end])
	}
	return &Expr{source, root}, nil
}

type parser struct {
	lexer lexer
	token token // the next one
	depth int
}

func (p *parser) advance() (err error) {
	p.token, err = p.lexer.next()
	return err
}

func (p *parser) fail(t token, message string) error {
	return p.lexer.fail(t.offset, t.end, message)
}

// expression parses operators with more than a precedence.
func (p *parser) expression(above int) (*Node, error) {
	x, err := p.operand()
	if err != nil {
		return nil, err
	}
	for {
		o, ok := operators[p.token.text]
		if !ok || p.token.kind != tokenOperator || o.precedence <= above {
			return x, nil
		}
		operator := p.token
		if err := p.advance(); err != nil {
			return nil, err
		}
		y, err := p.expression(o.precedence)
		if err != nil {
			return nil, err
		}
		n := &Node{Op: o.op, X: x, Y: y, Offset: x.Offset, End: y.End}
		for _, side := range []*Node{x, y} {
			if side.loose(n) && !side.parenthesized {
				return nil, p.fail(operator, p.looseMessage(n, side))
			}
		}
		x = n
	}
}

func (p *parser) looseMessage(n, side *Node) string {
	if n.Op.Compares() {
		return "comparisons do not chain: join them with &&"
	}
	return fmt.Sprintf("%s binds more loosely than %s: use parentheses", spelling[n.Op], spelling[side.Op])
}

func (p *parser) operand() (*Node, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, p.fail(p.token, fmt.Sprintf("nested more than %d deep", maxNesting))
	}
	defer func() { p.depth-- }()
	t := p.token
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch t.kind {
	case tokenInt:
		return &Node{Op: OpInt, Int: t.value, Type: t.typ, Text: t.text, Offset: t.offset, End: t.end}, nil
	case tokenText:
		return &Node{Op: OpText, Text: t.text, Offset: t.offset, End: t.end}, nil
	case tokenName:
		return &Node{Op: OpName, Text: t.text, Offset: t.offset, End: t.end}, nil
	case tokenOperator:
		switch t.text {
		case "(":
			n, err := p.expression(0)
			if err != nil {
				return nil, err
			}
			if p.token.text != ")" || p.token.kind != tokenOperator {
				return nil, p.fail(t, "the parenthesis is not closed")
			}
			n.parenthesized = true
			n.Offset, n.End = t.offset, p.token.end
			return n, p.advance()
		case "-":
			return p.unary(OpNegate, t)
		case "~":
			return p.unary(OpComplement, t)
		case "!":
			return p.unary(OpNot, t)
		case "!~": // two operators where no comparison can be
			n, err := p.unary(OpComplement, t)
			if err != nil {
				return nil, err
			}
			return &Node{Op: OpNot, X: n, Offset: t.offset, End: n.End}, nil
		}
	}
	if t.kind == tokenEnd {
		return nil, p.fail(t, "the expression is not complete")
	}
	return nil, p.fail(t, "a name or value must come before "+t.text)
}

func (p *parser) unary(op Op, t token) (*Node, error) {
	x, err := p.operand()
	if err != nil {
		return nil, err
	}
	return &Node{Op: op, X: x, Offset: t.offset, End: x.End}, nil
}
