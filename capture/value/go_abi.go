package value

import (
	"fmt"

	"trapline/capture/layout"
)

// goWords are the integer registers of Go's calling convention on amd64, in order
// (src/cmd/compile/abi-internal.md in the Go source).
var goWords = []uint8{wordAX, wordBX, wordCX, wordDI, wordSI, wordR8, wordR9, wordR10, wordR11}

const (
	goVectors = 15      // floating-point registers
	goG       = wordR14 // points to the current goroutine, a struct runtime.g
)

// goPlaces returns where Go passes values: arguments at the first instruction of a
// function, results at the last.
func goPlaces(types []*valueType) []param {
	params := make([]param, len(types))
	used, vectors := 0, 0
	for i, t := range types {
		a := goAssignment{words: used, vectors: vectors}
		if !a.assign(t, 0) {
			params[i].err = fmt.Errorf("is passed on the stack, which only optimized programs describe")
			continue
		}
		p := &params[i]
		p.at = location{typ: t, space: layout.UserMemory}
		for _, w := range goWords[used:a.words] {
			p.at.pieces = append(p.at.pieces, layout.Fetch{Word: w})
		}
		switch {
		case a.vectors > vectors:
			p.err = fmt.Errorf("is in vector registers, which programs cannot read")
		case a.scattered:
			p.err = fmt.Errorf("is %s, whose fields are in separate registers: it cannot be recorded here", t.name)
		case len(p.at.pieces) == 0:
			p.err = fmt.Errorf("has no value")
		}
		used, vectors = a.words, a.vectors
	}
	return params
}

// A goAssignment assigns registers to the parts of a value, one per number.
type goAssignment struct {
	words, vectors int
	scattered      bool // some parts do not fill their registers, so pieces of 8 bytes are not the value
}

// assign reports whether there were enough registers.
func (a *goAssignment) assign(t *valueType, depth int) bool {
	if depth > maxTypeDepth {
		return false
	}
	switch {
	case t.kind == kindFloat:
		a.vectors++
	case t.kind == kindGoString:
		a.words += 2
	case t.kind == kindGoSlice:
		a.words += 3
	case t.kind == kindArray:
		switch {
		case t.count == 0:
		case t.count == 1:
			return a.assign(t.element(), depth+1)
		default:
			return false
		}
	case t.members != nil:
		for _, m := range t.members() {
			inner := m.typ()
			if inner.size != 8 && inner.members == nil && depth >= 0 && t.size > inner.size {
				a.scattered = true
			}
			if !a.assign(inner, depth+1) {
				return false
			}
		}
	default:
		a.words++
	}
	return a.words <= len(goWords) && a.vectors <= goVectors
}
