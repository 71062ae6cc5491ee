package probe

import "trapline/format"

// unsupported refuses what the grammar has and resolving does not: [UnsupportedError].
func unsupported(ev *Event) error {
	what := ""
	m := ev.Modifiers
	switch {
	case (ev.Line != 0 || ev.Source != "") && !ev.inUserSpace():
		what = "lines of the kernel's source"
	case m.Depth != 0:
		what = "the modifier depth"
	}
	for i := range ev.Args {
		if a := &ev.Args[i]; ev.Kind == format.ProbeTracepoint && a.Value.Op != OpDuration {
			return &InvalidError{ev.Text, "tracepoints take no arguments but duration: all of their fields are recorded"}
		}
	}
	if what == "" {
		return nil
	}
	return &UnsupportedError{Event: ev.Text, Feature: what, Reason: "this version cannot record them"}
}
