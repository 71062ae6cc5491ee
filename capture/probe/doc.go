// Package probe says what to probe. [Parse] reads the event grammar, a [Resolver]
// turns an event into attach points ([Probe]) with typed arguments, and lists what
// there is to probe.
//
// Parsing is pure. Resolving reads tracefs, kernel symbols, BTF and ELF files; it
// opens no kernel object and needs no privilege beyond reading those.
package probe
