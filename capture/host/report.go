// Package machine finds out what this kernel, and this user on it, can record. It
// tries rather than concludes: each kind of probe is attached for a moment, with a
// program that does nothing.
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

// A Report is what record --info prints.
type Report struct {
	Facts  []Fact
	Probes []Ability // kinds of probes
	Kernel []Ability // what programs of a recording make use of
}
