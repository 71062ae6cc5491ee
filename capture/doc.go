// Package capture records live: it attaches probes, reads the events that they
// emit, decodes them and writes them to a capture file.
//
// The way of a hit: a program in package bpf puts it into a ring of its CPU;
// [rings] copies the rings' contents out in rounds; [assembler] decodes each
// event, gives stacks, tasks and images their IDs, and hands the hit to a
// format.Writer. When a segment ends, its frames are symbolized and the names
// written with it.
//
// Only the files ending in _linux.go make privileged calls.
package capture
