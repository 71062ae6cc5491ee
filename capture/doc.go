// Package capture makes recordings: it attaches probes, reads the events that BPF
// programs send, decodes them and writes a capture file.
//
// A hit takes this path. A program in package bpf writes it to its CPU's ring. Package
// ring copies events out of the rings in rounds. The assembler decodes them, assigns IDs
// to stacks, tasks and images, and passes the hit to a format.Writer. At the end of a
// segment its frames are symbolized.
//
// Only files named *_linux.go make system calls that need privileges.
package capture
