// Package predicate compiles filter expressions to BPF instructions and puts them
// into a program in place of its function predicate (bpf/filter.h).
package predicate
