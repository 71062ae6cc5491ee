// Package predicate compiles filter expressions to BPF instructions. They replace the
// body of the function predicate in bpf/filter.h.
package predicate
