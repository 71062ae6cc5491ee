// Package expr implements the expression language of --filter and /…/ predicates. It
// accepts the spellings of ftrace (comm ~ "ngin*") and bpftrace (args.count > 4096), with
// the semantics of C.
//
// [Parse] parses an expression, [Expr.Check] types it in a [Scope] of named values, and
// [Predicate.Eval] evaluates it. The tree of a predicate is plain data, so it can be
// compiled. Compiled predicates must give the same results as Eval:
//
//   - Integers have the width and sign of their source. Operands are converted as in C:
//     types narrower than 32 bits become s32, then the narrower operand takes the type of
//     the wider one; of two equally wide types, unsigned wins. Results wrap around.
//   - Where C leaves a result undefined, BPF decides: x/0 is 0, x%0 is x, and a shift uses
//     the low 5 or 6 bits of its count.
//   - A string ends at its first NUL. Its first [MaxText] bytes are compared.
//   - If a used value is unknown, so is the result.
//   - && and || evaluate the right side only if the left side does not decide.
package expr

// Limits on expressions.
const (
	// MaxText is the number of bytes compared of a string.
	MaxText = 1024

	maxSource  = 4096 // bytes of an expression
	maxNesting = 64   // of parentheses and unary operators
	maxLiteral = 255  // bytes of a quoted string
)
