// Package ring reads what BPF programs send: it drains their rings in rounds and decodes
// the events, which bpf/event.h and bpf/ring.h define.
package ring
