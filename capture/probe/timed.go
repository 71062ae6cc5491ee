package probe

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
)

func init() {
	Register(&Kind{
		Syntax:    event.Syntax{Kind: format.ProbeTimed, Spellings: []string{event.ProfileName}, Form: event.FormTimed, Words: timedWords()},
		What:      "sample",
		Stability: "stable",

		Program:   bpf.HooksProgOnTimed,
		Exclusive: true,
		Sampled:   true,
		Backends:  []Backend{CounterEvent},
		Needs: []Need{
			{Name: "cpu-clock", Backend: CounterEvent, Counter: Counter{Type: perfTypeSoftware}},
			{Name: "cycles", Backend: CounterEvent, Counter: Counter{Type: perfTypeHardware}, Source: "cpu", Remedy: "use cpu-clock"},
		},

		Resolve:  (*Resolver).resolveTimed,
		List:     (*Resolver).listTimed,
		ListRank: 1,
	})
}

// Types of perf events: enum perf_type_id in include/uapi/linux/perf_event.h.
const (
	perfTypeHardware = 0
	perfTypeSoftware = 1
)

// A timedEvent is a perf event that is sampled by period or frequency.
type timedEvent struct {
	name   string // canonical
	typ    uint32
	config uint64 // enum perf_hw_id or perf_sw_ids

	minPeriod uint64 // shortest period; clocks count ns, other events occurrences
}

// clock reports whether the event counts nanoseconds: PERF_COUNT_SW_CPU_CLOCK and
// PERF_COUNT_SW_TASK_CLOCK.
func (t *timedEvent) clock() bool { return t.typ == perfTypeSoftware && t.config <= 1 }

// Shortest periods of hardware counters. A CPU reaches 5 to 20 billion cycles or
// instructions a second, and fewer branches and misses, so a period keeps its event at or
// near the kernel's default maximum of 100,000 samples a second. Above it, the kernel
// throttles hardware counters.
const (
	minCyclePeriod  = 100_000
	minBranchPeriod = 10_000 // also accesses to the last-level cache
	minMissPeriod   = 1000
)

// timedEvents are the events that perf names without a PMU.
var timedEvents = []timedEvent{
	{"cpu-clock", perfTypeSoftware, 0, uint64(minClockPeriod)},
	{"task-clock", perfTypeSoftware, 1, uint64(minClockPeriod)},
	{"page-faults", perfTypeSoftware, 2, 1},
	{"context-switches", perfTypeSoftware, 3, 1},
	{"cpu-migrations", perfTypeSoftware, 4, 1},
	{"minor-faults", perfTypeSoftware, 5, 1},
	{"major-faults", perfTypeSoftware, 6, 1},
	{"alignment-faults", perfTypeSoftware, 7, 1},
	{"emulation-faults", perfTypeSoftware, 8, 1},
	{"cgroup-switches", perfTypeSoftware, 11, 1},

	{"cycles", perfTypeHardware, 0, minCyclePeriod},
	{"instructions", perfTypeHardware, 1, minCyclePeriod},
	{"cache-references", perfTypeHardware, 2, minBranchPeriod},
	{"cache-misses", perfTypeHardware, 3, minMissPeriod},
	{"branches", perfTypeHardware, 4, minBranchPeriod},
	{"branch-misses", perfTypeHardware, 5, minMissPeriod},
	{"bus-cycles", perfTypeHardware, 6, minCyclePeriod},
	{"stalled-cycles-frontend", perfTypeHardware, 7, minCyclePeriod},
	{"stalled-cycles-backend", perfTypeHardware, 8, minCyclePeriod},
	{"ref-cycles", perfTypeHardware, 9, minCyclePeriod},
}

// timedAliases are other names that perf accepts.
var timedAliases = map[string]string{
	"cpu-cycles":           "cycles",
	"branch-instructions":  "branches",
	"idle-cycles-frontend": "stalled-cycles-frontend",
	"idle-cycles-backend":  "stalled-cycles-backend",
	"faults":               "page-faults",
	"cs":                   "context-switches",
	"migrations":           "cpu-migrations",
}

// timedWords maps all names of timed events to the canonical ones.
func timedWords() map[string]string {
	words := map[string]string{event.ProfileName: event.ProfileName}
	for _, t := range timedEvents {
		words[t.name] = t.name
	}
	maps.Copy(words, timedAliases)
	return words
}

// findTimed returns the timed event with a canonical name.
func findTimed(name string) (timedEvent, bool) {
	if name == event.ProfileName {
		return timedEvent{name, perfTypeSoftware, 0, uint64(minClockPeriod)}, true
	}
	i := slices.IndexFunc(timedEvents, func(t timedEvent) bool { return t.name == name })
	if i < 0 {
		return timedEvent{}, false
	}
	return timedEvents[i], true
}

func (r *Resolver) resolveTimed(ev *event.Event) ([]Probe, error) {
	t, ok := findTimed(ev.Name)
	if !ok {
		return nil, &event.NotFoundError{Event: ev.Text, Reason: "no such event"}
	}
	if t.typ == perfTypeHardware && !r.haveHardwareCounters() {
		return nil, &event.UnsupportedError{Event: ev.Text, Feature: "hardware counters", Reason: "this machine has none, which is common in virtual machines", Remedy: "use cpu-clock"}
	}
	p := &Probe{Kind: format.ProbeTimed, Name: t.name, Function: t.name, Record: layout.Record{RecordSize: layout.CommonSize},
		PerfType: t.typ, PerfConfig: t.config, Frequency: ev.Frequency}
	if t.name == event.ProfileName {
		p.Name = fmt.Sprintf("%s:hz:%d", event.ProfileName, ev.Frequency)
	}
	return []Probe{*p}, nil
}

// haveHardwareCounters reports whether the machine has the PMU of a CPU: "cpu" or, on
// hybrid CPUs, "cpu_core" on x86; "armv8_…" on arm64.
func (r *Resolver) haveHardwareCounters() bool {
	entries, err := os.ReadDir(r.path("/sys/bus/event_source/devices"))
	if err != nil {
		return true // not known: opening the event will tell
	}
	for _, e := range entries {
		if name := e.Name(); name == "cpu" || strings.HasPrefix(name, "cpu_") || strings.HasPrefix(name, "armv8") {
			return true
		}
	}
	return false
}

func (r *Resolver) listTimed(k *Kind, s *Selection, yield func(Listing) bool) error {
	hardware := r.haveHardwareCounters()
	var names []string
	for _, t := range timedEvents {
		if (hardware || t.typ != perfTypeHardware) && s.Match(t.name) {
			names = append(names, t.name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if !yield(Listing{Kind: k.Kind, Name: name}) {
			break
		}
	}
	return nil
}
