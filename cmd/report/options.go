package main

import "trapline/cmd/internal/captures"

// options are the flags that views share, as they were given.
type options struct {
	inputs     []string
	asked      []*bool // by view: its flag; nil for the view that has none
	json       bool
	quiet      bool
	graph      string
	demangle   bool
	noDemangle bool
	filter     captures.Filter
}

func (o *options) leaveMangled() bool { return o.noDemangle || !o.demangle }
