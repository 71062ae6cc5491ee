// Package probe turns events into probes: what to attach to on this machine, and what to
// record there. It also lists what can be probed.
//
// Everything that differs between kinds of probes is in one [Kind] per kind, which the
// kind's own file registers: tracepoint.go, kprobe.go, uprobe.go and so on.
//
// An event takes a straight path from its text to its sites:
//
//   - [Parse] parses the text with the syntaxes of all kinds (package event). Its
//     predicate becomes expressions, once.
//   - [Resolver.Resolve] calls the kind's Resolve function. It looks up the event's
//     tracepoint, kernel function or program and returns a [Probe] for each match, with
//     the sites to attach to.
//   - While it makes a probe, the Resolve function builds a scope (package value). The
//     scope finds the values that arguments and predicate use, and how to fetch them.
//   - Resolve then lays out the record of each probe, checks the predicate against its
//     fields, and applies the event's modifiers.
//   - Package attach groups the sites that can share a program and attaches them by one
//     of the kind's backends.
//
// Parsing is pure. Resolving reads tracefs, kernel symbols, BTF and ELF files. It opens no
// kernel object and needs no privilege except to read these.
package probe
