// Package host examines the machine: the kernel and its features, CPUs, control groups,
// kernel symbols, and the privileges of the process.
package host

// An Ability is something that works on this machine, or does not.
type Ability struct {
	Name   string
	OK     bool
	Reason string // why not; "" if OK
	Remedy string // what would help, or works instead; may be ""
}

// A Fact is a property of the machine.
type Fact struct {
	Name, Value string
}

// A Report describes the machine.
type Report struct {
	Facts  []Fact
	Probes []Ability // ways to attach probes; package attach tries them
	Kernel []Ability // kernel functions that programs use if available
}
