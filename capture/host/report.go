// Package host finds out what this machine is and what it allows: its kernel and the
// features of that, its CPUs, control groups and symbols, and what this user may do.
package host

// An Ability is one thing that can be done here, or not.
type Ability struct {
	Name   string
	OK     bool
	Reason string // why not; "" where it can
	Remedy string // what would make it possible, or works instead; "" nothing is known
}

// A Fact is one thing to know about the machine.
type Fact struct {
	Name, Value string
}

// A Report is what is known of the machine.
type Report struct {
	Facts  []Fact
	Probes []Ability // ways to attach probes; package attach tries them
	Kernel []Ability // functions of the kernel that programs use where they can
}
