package event

import (
	"strconv"
	"strings"
)

// MaxElements is the maximum number of elements of an array.
const MaxElements = 64

const noSuchType = "no such type: u8 to u64, s8 to s64, x8 to x64, char, bool, string, ustring, bytes:LENGTH, symbol, errno, enum, ipv4, ipv6, port, sockaddr, struct and bWIDTH@OFFSET/SIZE exist, each with [N] for an array"

// argType parses the type of an argument.
func (p *parser) argType(e *Event, at int, text string) (Type, error) {
	text, user := strings.CutSuffix(text, "@user")
	t, err := p.plainType(at, text)
	if err != nil {
		return t, err
	}
	if t.Kind == TypeSymbol && e.Syntax.InPrograms {
		return t, p.fail(at, "symbol names kernel code, which a program's argument does not point to")
	}
	t.User = (t.User || user) && !e.Syntax.InPrograms
	return t, nil
}

func (p *parser) plainType(at int, text string) (Type, error) {
	if length, ok := strings.CutPrefix(text, "bytes:"); ok {
		e, err := p.expr(at+len("bytes:"), length)
		return Type{Kind: TypeBytes, Length: e}, err
	}
	word, array, isArray := strings.Cut(text, "[")
	var t Type
	known := false
	for _, s := range typeSpellings {
		if s.name == word {
			t, known = s.Type, true
		}
	}
	if !known {
		var err error
		if t, err = p.bitfield(at, word); err != nil {
			return t, err
		}
	}
	if !isArray {
		return t, nil
	}
	at += len(word) + 1
	n, err := strconv.ParseUint(strings.TrimSuffix(array, "]"), 10, 16)
	if err != nil || !strings.HasSuffix(array, "]") || n < 1 || n > MaxElements {
		return t, p.fail(at, "arrays have 1 to "+strconv.Itoa(MaxElements)+" elements, as in u32[4]")
	}
	if t.Kind == TypeSockaddr || t.Kind == TypeStruct || t.Kind == TypeBits || t.Kind == TypeEnum {
		return t, p.fail(at-1, "there are no arrays of "+word)
	}
	t.Count = uint16(n)
	return t, nil
}

// bitfield parses ftrace's bWIDTH@OFFSET/SIZE, in bits.
func (p *parser) bitfield(at int, word string) (Type, error) {
	digits, ok := strings.CutPrefix(word, "b")
	width, rest, ok1 := strings.Cut(digits, "@")
	offset, size, ok2 := strings.Cut(rest, "/")
	if !ok || !ok1 || !ok2 {
		return Type{}, p.fail(at, noSuchType)
	}
	w, err1 := strconv.ParseUint(width, 10, 8)
	o, err2 := strconv.ParseUint(offset, 10, 8)
	s, err3 := strconv.ParseUint(size, 10, 8)
	if err1 != nil || err2 != nil || err3 != nil || s != 8 && s != 16 && s != 32 && s != 64 || w < 1 || w+o > s {
		return Type{}, p.fail(at, "a bit field is bWIDTH@OFFSET/SIZE: WIDTH bits from bit OFFSET of 8, 16, 32 or 64, as in b4@2/32")
	}
	return Type{Kind: TypeBits, Bits: uint8(w), BitOffset: uint8(o), Size: uint8(s / 8)}, nil
}
