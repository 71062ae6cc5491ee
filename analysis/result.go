package analysis

import (
	"cmp"
	"strconv"
	"time"

	"trapline/format"
)

// A Task is a thread under one name.
type Task struct {
	PID, TID uint32
	Comm     string
}

// Name returns the name of the thread, or perf's :TID for one without a name.
func (t Task) Name() string {
	return cmp.Or(t.Comm, ":"+strconv.FormatUint(uint64(t.TID), 10))
}

// A Probe is a probe site. Probes of the same name and fields are one pointer.
type Probe struct {
	Name   string
	Event  string // as the user asked for it, before globs were expanded
	Kind   format.ProbeKind
	Period uint64 // what one hit stands for; at least 1
	Fields []Field
	marks  markColumns
}

// A Header describes one part of a capture: one recording.
type Header struct {
	Input      string // name of the input that holds it
	Properties []format.Property
	Clock      format.Clock // at the start of the first segment
	// Start and End are the times of the first and last hits, in ns of the
	// recording's clock. Both are 0 without hits.
	Start, End uint64
	Hits       uint64 // all of them, before any filter
}

// Get returns the value of a property, "" if there is none.
func (h *Header) Get(key string) string {
	for _, p := range h.Properties {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// RealTime converts a time of the recording to UTC; ok is false when the capture does
// not say how.
func (h *Header) RealTime(ns uint64) (t time.Time, ok bool) {
	if h == nil || h.Clock.Realtime == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, int64(h.Clock.Realtime+ns-h.Clock.Monotonic)).UTC(), true
}

// A Sample is a group of hits that are alike in everything that a [Query] asked
// for. The fields that it did not ask for are zero.
type Sample struct {
	Task         Task
	Process      string // name of the main thread of the process Task.PID
	CPU          int
	Probe        *Probe
	Kernel, User *Stack
	Args         []Value // in the order of Query.Args
	Hits         uint64
	Weight       uint64 // hits times the period of their probes
}

// An Event is one hit. It and its slices are valid until the function that was
// given it returns; what its pointers point to may be kept.
type Event struct {
	Time         uint64 // ns of the recording's clock
	Task         *Task
	CPU          int
	Probe        *Probe
	Kernel, User *Stack
	Args         []Value // one for each of Probe.Fields
	Header       *Header
}

// A Result is what [Aggregate] and [Each] found out about the captures.
type Result struct {
	Headers []*Header
	Quality Quality
	Probes  []*Probe // all that the captures name, in order of first use
	// Totals are the hits of each probe that pass the filter on probes and CPUs,
	// whatever else the filter says: what shares are shares of.
	Totals  map[*Probe]uint64
	Samples []Sample // of Aggregate
}
