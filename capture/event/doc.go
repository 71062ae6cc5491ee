// Package event reads and prints the event grammar: what -e and probe files say.
//
// A [Grammar] holds the [Syntax] of every kind of probe. It reads text in the
// spellings of bpftrace, perf, perf probe and ftrace into an [Event], whose String
// method returns the canonical spelling. Nothing here looks at the machine.
package event
