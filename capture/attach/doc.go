// Package attach loads BPF programs and attaches them to probes. Sites that can share a
// program form a group, and each [probe.Backend] is a row of one table. It also explains
// why attaching failed, and tries what can be attached on this machine.
package attach
