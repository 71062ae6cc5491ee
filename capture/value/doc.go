// Package value finds the values that an event asks for, and says how a program fetches
// them.
//
// A [Scope] holds what arguments may refer to at one place. It is built from a
// description of the place: registers and a calling convention, a function's [Signature]
// in BTF, DWARF, the fields of a tracepoint, or the operands of a USDT probe. In a scope,
// an argument's expression leads to a location. The location and the requested type
// determine a [layout.Fetch], which a program runs, and a [layout.Field], which describes
// the result. [Scope.Fetch] collects both in a [layout.Record].
//
//	event.Arg → Scope → location → Fetch and Field → Record → Filter
package value
