package analysis

import (
	"cmp"
	"strconv"
	"time"

	"trapline/format"
)

// A Task is a thread with a given name.
type Task struct {
	PID, TID uint32
	Comm     string
}

// Name returns the name of the thread, or :TID as in perf if it has none.
func (t Task) Name() string {
	return cmp.Or(t.Comm, ":"+strconv.FormatUint(uint64(t.TID), 10))
}

// A Probe is a probe site. Probes with the same name and fields share one pointer.
type Probe struct {
	Name   string
	Event  string // as requested, before patterns were expanded
	Kind   format.ProbeKind
	Period uint64 // number of events that a hit stands for; at least 1
	Fields []Field
	marks  markColumns
}

// A Header describes one recording, which is one part of a capture.
type Header struct {
	Input      string // name of the input
	Properties []format.Property
	Clock      format.Clock // at the start of the first segment
	// Start and End are the times of the first and last hits, in ns of the clock of
	// the recording. Both are 0 without hits.
	Start, End uint64
	Hits       uint64 // before any filter
}

// Get returns the value of a property, or "" if it is not set.
func (h *Header) Get(key string) string {
	for _, p := range h.Properties {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// RealTime converts a time of the recording to UTC. ok is false if the capture has
// no reading of the real-time clock.
func (h *Header) RealTime(ns uint64) (t time.Time, ok bool) {
	if h == nil || h.Clock.Realtime == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, int64(h.Clock.Realtime+ns-h.Clock.Monotonic)).UTC(), true
}

// A Sample is a group of hits that agree in everything that a [Query] asks for. All
// other fields are zero.
type Sample struct {
	Task         Task
	Process      string // name of the main thread of process Task.PID
	CPU          int
	Probe        *Probe
	Kernel, User *Stack
	Args         []Value // in the order of Query.Args
	Hits         uint64
	Weight       uint64 // hits times the periods of their probes
}

// An Event is one hit. The event and its slices are valid until the callback
// returns. What its pointers refer to may be kept.
type Event struct {
	Time         uint64 // ns of the clock of the recording
	Task         *Task
	CPU          int
	Probe        *Probe
	Kernel, User *Stack
	Args         []Value // parallel to Probe.Fields
	Header       *Header
}

// A Result is what [Aggregate], [Each] and [Survey] find in captures.
type Result struct {
	Headers []*Header
	Quality Quality
	Probes  []*Probe // all probes of the captures, in order of first use
	// Totals are the hits of each probe that pass the filters on probes and CPUs,
	// regardless of the other filters. Shares are relative to them.
	Totals  map[*Probe]uint64
	Samples []Sample // set by Aggregate
}
