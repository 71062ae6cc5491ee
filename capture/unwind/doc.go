// Package unwind finds the callers of a frame: it reads an image's unwind
// information (call frame information, Go's tables, the kernel's ORC tables),
// derives from it the rules by which the BPF programs of package bpf walk stacks,
// and unwinds copied stacks exactly by itself. It needs no privileges.
package unwind
