package event

import (
	"math"
	"strconv"
	"strings"
)

const (
	// maxArgIndex bounds N in argN.
	maxArgIndex = 31
	// maxExprDepth bounds the number of steps to one value.
	maxExprDepth = 16
	// maxStackWord bounds $stackN and array indexes.
	maxStackWord = 1 << 16
)

// An exprParser parses one expression within an event.
type exprParser struct {
	*scanner
	end   int // of the expression
	depth int
}

// expr parses all of text, which is at position at, as one expression.
func (p *parser) expr(at int, text string) (*Expr, error) {
	x := exprParser{scanner: &scanner{text: p.text, pos: at}, end: at + len(text)}
	e, err := x.chain()
	if err != nil {
		return nil, err
	}
	if x.pos < x.end {
		return nil, x.fail(x.pos, "not understood: expected argN, retval, a name, %REGISTER, @SYMBOL, $stackN or +OFFSET(…)")
	}
	return e, nil
}

func (x *exprParser) rest() string { return x.text[x.pos:x.end] }

func (x *exprParser) take(prefix string) bool {
	if !strings.HasPrefix(x.rest(), prefix) {
		return false
	}
	x.pos += len(prefix)
	return true
}

// ident reads letters, digits and underscores.
func (x *exprParser) ident() string {
	start := x.pos
	for x.pos < x.end && isNameByte(x.text[x.pos]) && x.text[x.pos] != '.' && x.text[x.pos] != '$' {
		x.pos++
	}
	return x.text[start:x.pos]
}

// chain parses a value followed by fields and elements.
func (x *exprParser) chain() (*Expr, error) {
	if x.depth++; x.depth > maxExprDepth {
		return nil, x.fail(x.pos, "more than 16 steps to one value")
	}
	e, err := x.value()
	for err == nil && x.pos < x.end {
		at := x.pos
		switch {
		case e.Op == OpConstant:
			return nil, x.fail(at, "a number has no fields")
		case e.Op == OpSymbol && x.text[at] == '.':
			return nil, x.fail(at, "write -> for the fields of a symbol: symbol names may contain dots")
		case x.take("->"), x.take("."):
			arrow := x.text[at] == '-'
			name := x.ident()
			if !isIdentifier(name) {
				return nil, x.fail(x.pos-len(name), "expected the name of a field")
			}
			e = &Expr{Op: OpField, Name: name, Arrow: arrow, Of: e}
		case x.take("["):
			n, err := x.index("the number of an element", maxStackWord)
			if err != nil {
				return nil, err
			}
			if !x.take("]") {
				return nil, x.fail(x.pos, "expected ]")
			}
			e = &Expr{Op: OpIndex, Index: n, Of: e}
		default:
			return e, nil
		}
		if x.depth++; x.depth > maxExprDepth {
			return nil, x.fail(at, "more than 16 steps to one value")
		}
	}
	return e, err
}

func (x *exprParser) index(what string, limit int) (int, error) {
	at := x.pos
	digits := x.ident()
	n, ok := parseNumber(digits)
	if !ok || n > uint64(limit) {
		return 0, x.fail(at, "expected "+what+", from 0 to "+strconv.Itoa(limit))
	}
	return int(n), nil
}

// value parses the start of a chain.
func (x *exprParser) value() (*Expr, error) {
	at := x.pos
	switch {
	case at >= x.end:
		return nil, x.fail(at, "expected argN, retval or a name")
	case x.take("$"):
		return x.dollar(at)
	case x.take("%"):
		name := x.ident()
		if !isIdentifier(name) {
			if _, ok := parseNumber(name); !ok || name == "" {
				return nil, x.fail(at, "expected the name of a register, as in %di")
			}
			return nil, x.fail(at, "registers are given by name, as in %di")
		}
		return &Expr{Op: OpRegister, Name: name}, nil
	case x.take("@"):
		return x.symbol()
	case x.text[at] == '+' || x.text[at] == '-':
		return x.deref()
	}
	if x.take("args.") || x.take("args->") {
		name := x.ident()
		if !isIdentifier(name) {
			return nil, x.fail(x.pos-len(name), "expected the name of an argument")
		}
		return &Expr{Op: OpName, Name: name}, nil
	}
	word := x.ident()
	switch {
	case word == "retval":
		return &Expr{Op: OpReturn}, nil
	case word == "duration":
		return &Expr{Op: OpDuration}, nil
	case word != "" && isNumber(word):
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, x.fail(at, "the number is too large")
		}
		return &Expr{Op: OpConstant, Offset: n}, nil
	case strings.HasPrefix(word, "arg") && isNumber(word[3:]):
		n, err := strconv.Atoi(word[3:])
		if err != nil || n > maxArgIndex {
			return nil, x.fail(at, "arguments count from arg0 to arg"+strconv.Itoa(maxArgIndex))
		}
		return &Expr{Op: OpArg, Index: n}, nil
	case word == "arg" || word == "args":
		return nil, x.fail(at, "expected argN or args.NAME, as in arg0:u32")
	case !isIdentifier(word):
		return nil, x.fail(at, "expected argN, retval, a name, %REGISTER, @SYMBOL, $stackN or +OFFSET(…)")
	}
	return &Expr{Op: OpName, Name: word}, nil
}

// dollar parses ftrace's variables, whose arguments count from 1.
func (x *exprParser) dollar(at int) (*Expr, error) {
	word := x.ident()
	digits, isArg := strings.CutPrefix(word, "arg")
	slot, isStack := strings.CutPrefix(word, "stack")
	switch {
	case word == "retval":
		return &Expr{Op: OpReturn}, nil
	case word == "comm", word == "COMM":
		return &Expr{Op: OpComm}, nil
	case word == "stack":
		return &Expr{Op: OpStackPointer}, nil
	case isArg && isNumber(digits):
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > maxArgIndex+1 {
			return nil, x.fail(at, "with $, arguments count from $arg1 to $arg"+strconv.Itoa(maxArgIndex+1)+", as ftrace does; arg0 is the same as $arg1")
		}
		return &Expr{Op: OpArg, Index: n - 1}, nil
	case isStack && isNumber(slot):
		n, err := strconv.Atoi(slot)
		if err != nil || n > maxStackWord {
			return nil, x.fail(at, "words of the stack count from $stack0 to $stack"+strconv.Itoa(maxStackWord))
		}
		return &Expr{Op: OpStack, Index: n}, nil
	case word == "params":
		return nil, x.fail(at, "parameters are recorded by default if their types are known: omit $params")
	case word == "vars":
		return nil, x.fail(at, "name each local variable to record")
	}
	return nil, x.fail(at, "no such variable: $argN (from 1), $retval, $stack, $stackN and $comm exist")
}

// symbol parses what follows @: SYMBOL[+|-OFFSET] or an address.
func (x *exprParser) symbol() (*Expr, error) {
	at := x.pos
	for x.pos < x.end && isNameByte(x.text[x.pos]) {
		x.pos++
	}
	e := &Expr{Op: OpSymbol, Name: x.text[at:x.pos]}
	if e.Name == "" {
		return nil, x.fail(at, "expected a symbol or an address, as in @jiffies or @0xffffffff82000000")
	}
	if startsWithDigit(e.Name) {
		address, ok := parseNumber(e.Name)
		if !ok {
			return nil, x.fail(at, "not an address: expected a number, such as 0xffffffff82000000")
		}
		return &Expr{Op: OpSymbol, Offset: int64(address)}, nil
	}
	sign := x.pos
	if sign < x.end && (x.text[sign] == '+' || x.text[sign] == '-' && !strings.HasPrefix(x.rest(), "->")) {
		offset, err := x.offset()
		if err != nil {
			return nil, err
		}
		e.Offset = offset
	}
	return e, nil
}

// offset parses +N or -N.
func (x *exprParser) offset() (int64, error) {
	negative := x.text[x.pos] == '-'
	x.pos++
	at := x.pos
	n, ok := parseNumber(x.ident())
	if !ok || n > math.MaxInt32 {
		return 0, x.fail(at, "not an offset: expected a number of bytes, such as 16 or 0x10")
	}
	if negative {
		return -int64(n), nil
	}
	return int64(n), nil
}

// deref parses +OFFSET(VALUE), with u before the offset for user memory.
func (x *exprParser) deref() (*Expr, error) {
	sign := x.pos
	e := &Expr{Op: OpDeref}
	if strings.HasPrefix(x.text[sign+1:x.end], "u") {
		e.User = true
		x.pos++
	}
	at := x.pos + 1
	digits := at
	for x.pos++; x.pos < x.end && x.text[x.pos] != '('; x.pos++ {
	}
	n, ok := parseNumber(x.text[digits:x.pos])
	if !ok || n > math.MaxInt32 {
		return nil, x.fail(at, "not an offset: expected +OFFSET(VALUE), as in +8(arg0)")
	}
	if e.Offset = int64(n); x.text[sign] == '-' {
		e.Offset = -e.Offset
	}
	if !x.take("(") {
		return nil, x.fail(x.pos, "expected +OFFSET(VALUE), as in +8(arg0)")
	}
	of, err := x.chain()
	if err != nil {
		return nil, err
	}
	if !x.take(")") {
		return nil, x.fail(x.pos, "expected )")
	}
	e.Of = of
	return e, nil
}
