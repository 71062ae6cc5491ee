// Package expr is the one expression language of the project: what --filter and
// /…/ say of a hit. It reads the spellings of ftrace (comm ~ "ngin*") and of
// bpftrace (args.count > 4096) alike, and means what C means.
//
// [Parse] reads an expression, [Expr.Check] gives it types in a [Scope] of named
// values, and [Predicate.Eval] evaluates the result. A predicate's tree is plain
// data, so that it can be compiled for other machines as well; whoever does so
// must come to the same results as Eval, whose rules are these:
//
//   - Integers have the width and the sign of the value that they come from.
//     Operands are converted as in C: what is narrower than 32 bits becomes s32,
//     then the narrower operand takes the type of the wider one; of two as wide,
//     unsigned wins. Results wrap around.
//   - Where C leaves a result open, it is what BPF has: x/0 is 0, x%0 is x, and
//     a shift looks at the low 5 or 6 bits of its count.
//   - A text ends at its first NUL and is compared by its first [MaxText] bytes.
//   - If a value that is looked at is not known, neither is the result.
//   - && and || look at the right side only if the left one does not decide.
package expr

// Limits on what an expression may be.
const (
	// MaxText is how many bytes of a text are compared.
	MaxText = 1024

	maxSource  = 4096 // bytes of an expression
	maxNesting = 64   // of parentheses and unary operators
	maxLiteral = 255  // bytes of a quoted text
)
