package expr

import (
	"math/bits"
	"strconv"
	"strings"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenInt
	tokenText
	tokenName
	tokenOperator // text is the operator or parenthesis
)

// A token's text is a name, an unquoted string, or its spelling in the source.
type token struct {
	kind        tokenKind
	text        string
	value       uint64 // tokenInt
	typ         Type   // tokenInt
	offset, end int
}

type lexer struct {
	given  string // shown in errors
	source string // given, with blanks instead of the enclosing slashes
	at     int
}

func (l *lexer) fail(offset, end int, message string) error {
	return &Error{l.given, offset, end - offset, message}
}

func (l *lexer) next() (token, error) {
	for l.at < len(l.source) && strings.IndexByte(" \t\r\n", l.source[l.at]) >= 0 {
		l.at++
	}
	start := l.at
	if start == len(l.source) {
		return token{kind: tokenEnd, offset: start, end: start}, nil
	}
	switch c := l.source[start]; {
	case isDigit(c):
		return l.number()
	case isLetter(c) || c == '$':
		return l.name()
	case c == '"' || c == '\'':
		return l.text(c)
	}
	for _, width := range []int{2, 1} {
		if start+width > len(l.source) {
			continue
		}
		switch text := l.source[start : start+width]; text {
		case "=":
			return token{}, l.fail(start, start+1, "= does not compare: write ==")
		case "||", "&&", "==", "!=", "!~", "<=", ">=", "<<", ">>",
			"|", "^", "&", "~", "<", ">", "+", "-", "*", "/", "%", "!", "(", ")":
			l.at += width
			return token{kind: tokenOperator, text: text, offset: start, end: l.at}, nil
		}
	}
	return token{}, l.fail(start, start+1, "unexpected character "+strconv.QuoteRune([]rune(l.source[start:])[0]))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

// units are the suffixes of integers: sizes, and times in ns.
var units = map[string]uint64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}

// number reads a C integer with an optional unit instead of C's suffixes. Its type is that
// of C, or s64 if it has a unit.
func (l *lexer) number() (token, error) {
	start := l.at
	for l.at < len(l.source) && (isDigit(l.source[l.at]) || isLetter(l.source[l.at])) {
		l.at++
	}
	text := l.source[start:l.at]
	t := token{kind: tokenInt, text: text, offset: start, end: l.at}
	digits, unit := text, uint64(0)
	if len(text) < 2 || text[0] != '0' || strings.IndexByte("xXbBoO", text[1]) < 0 {
		digits = strings.TrimRight(text, "KMGnums")
		if suffix := text[len(digits):]; suffix != "" {
			if unit = units[suffix]; unit == 0 {
				return t, l.fail(start+len(digits), l.at, "unknown unit "+suffix+": there are K, M and G, and for times ns, us, ms and s")
			}
		}
	}
	value, err := strconv.ParseUint(digits, 0, 64)
	if err != nil || strings.Contains(digits, "_") {
		if e, ok := err.(*strconv.NumError); ok && e.Err == strconv.ErrRange {
			return t, l.fail(start, l.at, "number beyond 64 bits")
		}
		return t, l.fail(start, l.at, "not a number")
	}
	if unit != 0 {
		over, product := bits.Mul64(value, unit)
		if over != 0 || product > 1<<63-1 {
			return t, l.fail(start, l.at, "number beyond 63 bits")
		}
		t.value, t.typ = product, S64
		return t, nil
	}
	t.value = value
	switch decimal := digits[0] != '0'; {
	case value <= 1<<31-1:
		t.typ = S32
	case value <= 1<<32-1 && !decimal:
		t.typ = U32
	case value <= 1<<63-1:
		t.typ = S64
	default:
		t.typ = U64
	}
	return t, nil
}

// name reads a name: $arg1, args.next_pid, sk->__sk_common.skc_dport.
func (l *lexer) name() (token, error) {
	start := l.at
	var b strings.Builder
	if l.source[l.at] == '$' {
		b.WriteByte('$')
		l.at++
	}
	for {
		word := l.at
		for l.at < len(l.source) && (isLetter(l.source[l.at]) || l.at > word && isDigit(l.source[l.at])) {
			l.at++
		}
		if l.at == word {
			return token{}, l.fail(start, l.at, "a name must follow "+l.source[start:l.at])
		}
		b.WriteString(l.source[word:l.at])
		switch rest := l.source[l.at:]; {
		case strings.HasPrefix(rest, "->"):
			l.at += 2
			b.WriteString("->")
		case strings.HasPrefix(rest, "."):
			l.at++
			b.WriteByte('.')
		default:
			return token{kind: tokenName, text: b.String(), offset: start, end: l.at}, nil
		}
	}
}

// text reads a quoted string. It keeps backslashes that escape neither a quote, a backslash
// nor, as \xHH or \n, a byte: they belong to patterns.
func (l *lexer) text(quote byte) (token, error) {
	start := l.at
	var b strings.Builder
	for l.at++; l.at < len(l.source) && l.source[l.at] != quote; l.at++ {
		c := l.source[l.at]
		if c == '\\' && l.at+1 < len(l.source) {
			l.at++
			switch e := l.source[l.at]; e {
			case '\\', '"', '\'':
				c = e
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case 'x':
				v, err := strconv.ParseUint(l.source[l.at+1:min(l.at+3, len(l.source))], 16, 8)
				if err != nil || l.at+3 > len(l.source) {
					return token{}, l.fail(l.at-1, min(l.at+3, len(l.source)), `\x takes two hexadecimal digits`)
				}
				c = byte(v)
				l.at += 2
			default:
				b.WriteByte('\\')
				c = e
			}
		}
		if c == 0 {
			return token{}, l.fail(start, min(l.at+1, len(l.source)), "a text ends at its first NUL: there can be none in it")
		}
		b.WriteByte(c)
	}
	if l.at >= len(l.source) {
		return token{}, l.fail(start, len(l.source), "the quote is not closed")
	}
	l.at++
	if b.Len() > maxLiteral {
		return token{}, l.fail(start, l.at, "text longer than "+strconv.Itoa(maxLiteral)+" bytes")
	}
	return token{kind: tokenText, text: b.String(), offset: start, end: l.at}, nil
}
