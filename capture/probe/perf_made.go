package probe

import (
	"os"
	"path/filepath"

	"trapline/format"
)

// madeByPerf reports whether an event spelled as perf probe names them exists: then it
// is a tracepoint like any other.
func (r *Resolver) madeByPerf(ev *Event) bool {
	if ev.System == "" || r.opt.TraceFS == "" {
		return false
	}
	made := ev.asTracepoint()
	_, err := os.Stat(filepath.Join(r.opt.TraceFS, "events", made.System, made.Name, "enable"))
	return err == nil
}

// asTracepoint returns the event as the tracepoint that perf probe would have made of it.
func (e *Event) asTracepoint() *Event {
	made := *e
	made.Kind, made.Binary, made.Provider = format.ProbeTracepoint, "", ""
	if e.atReturn() {
		made.Name += returnSuffix
	}
	return &made
}
