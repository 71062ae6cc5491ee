// Package value finds where the values that an event asks for are, and says how a
// program fetches them.
//
// A [Scope] is what arguments may refer to at one place. It is made from what
// describes the place: registers and a calling convention, a function's [Signature] in
// BTF, DWARF, a tracepoint's fields, or the operands of a USDT probe. Within it, an
// argument's expression leads to a location; the location and the type asked for give
// a [Fetch], which a program runs, and a [Field], which says what the record then
// holds. [Scope.Fetch] collects them in a [Record].
//
//	event.Arg → Scope → location → Fetch and Field → Record → Filter
package value
