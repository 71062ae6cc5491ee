package main

import "trapline/cmd/internal/captures"

// options are the values of the flags that views share.
type options struct {
	inputs     []string
	asked      []*bool // flags of the views; nil for the view without a flag
	json       bool
	quiet      bool
	graph      string
	demangle   bool
	noDemangle bool
	filter     captures.Filter
}

func (o *options) leaveMangled() bool { return o.noDemangle || !o.demangle }
