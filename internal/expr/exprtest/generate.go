// Package exprtest generates random expressions and values for tests.
package exprtest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"trapline/internal/expr"
)

// Vars are two integers of every type and three strings.
var Vars = func() (vars []expr.Var) {
	for _, size := range []uint8{1, 2, 4, 8} {
		for i := range 2 {
			vars = append(vars, expr.Var{Name: fmt.Sprintf("u%d_%d", size*8, i), Type: expr.Type{Size: size}},
				expr.Var{Name: fmt.Sprintf("s%d_%d", size*8, i), Type: expr.Type{Size: size, Signed: true}})
		}
	}
	for i := range 3 {
		vars = append(vars, expr.Var{Name: fmt.Sprintf("text_%d", i), Type: expr.Text})
	}
	return vars
}()

// Scope returns a scope with Vars at their indices.
func Scope() *expr.Scope {
	s := new(expr.Scope)
	for _, v := range Vars {
		s.Add(v)
	}
	return s
}

// A Generator generates expressions over Vars.
type Generator struct {
	Rand *rand.Rand
	// C excludes what C lacks or leaves undefined: strings, units, division, and shifts by
	// variables.
	C bool
}

// Expression returns the source of an expression. Check may refuse it, because types
// decide a comparison or a number is out of range.
func (g *Generator) Expression() string { return g.condition(3) }

func (g *Generator) pick(choices ...string) string { return choices[g.Rand.IntN(len(choices))] }

func (g *Generator) condition(depth int) string {
	switch n := g.Rand.IntN(12); {
	case depth > 0 && n < 5:
		return "(" + g.condition(depth-1) + g.pick(" && ", " || ") + g.condition(depth-1) + ")"
	case depth > 0 && n == 5:
		return "!(" + g.condition(depth-1) + ")"
	case n < 8 && !g.C:
		return g.textVar() + g.pick(" == ", " != ", " ~ ", " !~ ") + `"` + g.pattern() + `"`
	case n == 8:
		return g.integer(depth + 1)
	}
	return "(" + g.integer(depth) + ")" + g.pick(" == ", " != ", " < ", " <= ", " > ", " >= ") + "(" + g.integer(depth) + ")"
}

func (g *Generator) integer(depth int) string {
	switch n := g.Rand.IntN(10); {
	case depth > 0 && n < 5:
		operators := []string{"+", "-", "*", "&", "|", "^"}
		if !g.C {
			operators = append(operators, "/", "%", "<<", ">>")
		}
		return "(" + g.integer(depth-1) + ") " + g.pick(operators...) + " (" + g.integer(depth-1) + ")"
	case depth > 0 && n == 5:
		return g.pick("-", "~", "!") + "(" + g.integer(depth-1) + ")"
	case depth > 0 && n == 6:
		return fmt.Sprintf("(%s) %s %d", g.integer(depth-1), g.pick("<<", ">>"), g.Rand.IntN(32))
	case n == 9:
		return g.constant()
	}
	return Vars[g.Rand.IntN(16)].Name
}

func (g *Generator) constant() string {
	v := g.Int()
	switch n := g.Rand.IntN(4); {
	case n == 0:
		return fmt.Sprintf("%#x", v)
	case n == 1 && !g.C:
		return fmt.Sprintf("%d%s", v&0xff, g.pick("K", "M", "G", "us", "ms", "s"))
	case n == 2:
		return fmt.Sprintf("%#o", v)
	}
	return fmt.Sprint(v >> 1)
}

func (g *Generator) textVar() string { return Vars[16+g.Rand.IntN(len(Vars)-16)].Name }

// alphabet is small so that patterns often match.
const alphabet = "ab-"

func (g *Generator) pattern() string {
	var b strings.Builder
	for range g.Rand.IntN(6) {
		b.WriteString(g.pick("a", "b", "-", "*", "*", "?", "[ab]", "[!a]", "[a-b]", "[^-]", "{a,b-}", `\*`))
	}
	return b.String()
}

// Int returns an integer, often near the bounds of a type.
func (g *Generator) Int() uint64 {
	v := uint64(g.Rand.IntN(7)) - 3
	switch g.Rand.IntN(3) {
	case 0:
		return v
	case 1:
		return v + 1<<(8<<g.Rand.IntN(4)-g.Rand.IntN(2))
	}
	return g.Rand.Uint64() >> g.Rand.IntN(64)
}

// Text returns a string of at most that many bytes.
func (g *Generator) Text(most int) []byte {
	text := make([]byte, g.Rand.IntN(min(most, 8)+1))
	if g.Rand.IntN(16) == 0 {
		text = make([]byte, g.Rand.IntN(most+1))
	}
	for i := range text {
		text[i] = alphabet[g.Rand.IntN(len(alphabet))]
	}
	return text
}

// Values holds a value for each of Vars.
type Values struct {
	Ints   [16]uint64
	Texts  [3][]byte
	Unread uint32 // bit n means that Vars[n] is unknown
}

// Int and Text implement [expr.Values].
func (v *Values) Int(slot int) (uint64, bool) {
	return v.Ints[slot], v.Unread&(1<<slot) == 0
}
func (v *Values) Text(slot int) ([]byte, bool) {
	return v.Texts[slot-len(v.Ints)], v.Unread&(1<<slot) == 0
}

// Values returns random values with strings of at most that many bytes.
func (g *Generator) Values(most int) *Values {
	v := new(Values)
	for i := range v.Ints {
		v.Ints[i] = g.Int()
	}
	for i := range v.Texts {
		v.Texts[i] = g.Text(most)
	}
	if g.Rand.IntN(4) == 0 {
		v.Unread = 1 << g.Rand.IntN(len(Vars))
	}
	return v
}
