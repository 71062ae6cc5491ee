// Package event reads and prints the event grammar: the values of -e and the entries of
// probe files.
//
// A [Grammar] holds the [Syntax] of every kind of probe. It parses the spellings of
// bpftrace, perf, perf probe and ftrace into an [Event], whose String method returns the
// canonical spelling. The package is pure: it never looks at the machine.
package event
