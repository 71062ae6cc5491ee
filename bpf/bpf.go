// Package bpf is the kernel side of a recording: the programs in C, the one
// definition of the events that they emit, and the generated loaders.
//
// The loaders and objects are committed, so building needs Go alone. Changing a
// .c or .h file here needs clang 19 and libbpf's headers: make generate.
package bpf

//go:generate go tool bpf2go -tags linux -target amd64,arm64 -go-package bpf -type hit -type stack -type user_frame -type counts -type control -type ring -type comm_patterns -type subject -type memory -type raw_stack -type rule_set -type comparison -type row -type row_span Hooks hooks.bpf.c -- -O2 -g -mcpu=v3 -Wall -Werror -I. -Iheaders -I/usr/include
//go:generate go tool bpf2go -tags linux -target amd64,arm64 -go-package bpf -type kernel_range KernelMemory kernelmemory.bpf.c -- -O2 -g -mcpu=v3 -Wall -Werror -I. -Iheaders -I/usr/include
