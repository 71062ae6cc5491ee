// Package unwind finds the callers of frames. It reads unwind information (call frame
// information, Go's tables, the kernel's ORC tables), derives the rules by which the
// programs of package bpf walk stacks, and unwinds copied stacks exactly. It needs no
// privileges.
package unwind
