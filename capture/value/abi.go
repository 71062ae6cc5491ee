package value

import (
	"fmt"

	"trapline/capture/layout"
)

// passArguments returns where the arguments of a function are at its first instruction:
// System V ABI for x86-64, section 3.2.3, or AAPCS64, for registers only. space is the
// memory of the stack.
func passArguments(types []*valueType, space layout.Space) []param {
	words := argumentWords()
	used, vectors := 0, 0
	stack := int64(8) // after the return address
	params := make([]param, len(types))
	for i, t := range types {
		p := &params[i]
		size := max((t.size+7)/8, 1)
		classes := classify(t, size)
		integers := 0
		for _, vector := range classes {
			if !vector {
				integers++
			}
		}
		floats := len(classes) - integers
		if len(classes) > 0 && used+integers <= len(words) && vectors+floats <= maxVectors {
			if floats > 0 {
				p.err = fmt.Errorf("is passed in a vector register, which programs cannot read")
			}
			p.at = inRegister(t, space, words[used:used+integers]...)
			used += integers
			vectors += floats
			continue
		}
		// On the stack, in whole words.
		p.at = location{typ: t, memory: true, space: space, fetch: layout.Fetch{Word: stackPointerWord()}, add: stack}
		if stackPointerWord() != wordSP {
			p.err = fmt.Errorf("is on the stack, where arguments can be read only on x86-64")
		}
		stack += int64(8 * size)
	}
	return params
}

// maxVectors is the number of vector registers that pass arguments.
const maxVectors = 8

// classify reports for each 8 bytes of a value whether a vector register passes them. It
// returns nil if the value is passed in memory.
func classify(t *valueType, words int) []bool {
	switch {
	case t.kind == kindFloat && t.size > 8 || words > 2:
		return nil
	case t.kind == kindFloat:
		return []bool{true}
	case t.members == nil:
		return make([]bool, words)
	}
	vector := []bool{true, true}[:words]
	integersIn(t, 0, vector, 0)
	return vector
}

// integersIn clears the words that hold anything other than floating-point numbers.
func integersIn(t *valueType, bit int, vector []bool, depth int) {
	if depth > maxTypeDepth {
		return
	}
	switch {
	case t.kind == kindFloat:
	case t.members != nil:
		for _, m := range t.members() {
			integersIn(m.typ(), bit+m.bit, vector, depth+1)
		}
	case t.kind == kindArray:
		element := t.element()
		for i := range min(t.count, 16) {
			integersIn(element, bit+8*i*element.size, vector, depth+1)
		}
	default:
		if i := bit / 64; i < len(vector) {
			vector[i] = false
		}
	}
}

// returned returns where a function's result is when the function returns.
func returned(t *valueType, space layout.Space) (location, error) {
	if t == nil {
		return inRegister(nil, space, returnWords()[0]), nil
	}
	words := max((t.size+7)/8, 1)
	classes := classify(t, words)
	if classes == nil {
		// The function returns the address of memory that the caller provides.
		return location{typ: t, memory: true, space: space, fetch: layout.Fetch{Word: returnWords()[0]}}, nil
	}
	for _, vector := range classes {
		if vector {
			return location{}, fmt.Errorf("is returned in a vector register, which programs cannot read")
		}
	}
	return inRegister(t, space, returnWords()[:words]...), nil
}
