// Package bpf is the kernel side of a recording: BPF programs in C, the
// definition of the events that they write, and generated loaders.
//
// hooks.bpf.c has the entry functions and says how to add one. take_hit.h is the
// core that they share, stacks/ finds the stacks of a hit, and event.h defines the
// events. A header uses only headers below it, and starts with what it contains
// and who calls it.
//
// The loaders and objects are committed, so building needs only Go. After a change
// of a .c or .h file, run make generate, which needs clang 19, llvm 19 and the
// headers of libbpf.
package bpf

//go:generate go tool bpf2go -tags linux -target amd64,arm64 -go-package bpf -type hit -type stack -type user_frame -type counts -type control -type ring -type comm_patterns -type subject -type memory -type raw_stack -type rule_set -type comparison -type row -type row_span Hooks hooks.bpf.c -- -O2 -g -mcpu=v3 -Wall -Werror -I. -Iheaders -I/usr/include
//go:generate go tool bpf2go -tags linux -target amd64,arm64 -go-package bpf -type kernel_range KernelMemory kernelmemory.bpf.c -- -O2 -g -mcpu=v3 -Wall -Werror -I. -Iheaders -I/usr/include
