package probe_test

import (
	"errors"
	"strings"
	"testing"

	"trapline/capture/event"
	"trapline/capture/probe"
)

func TestCheckSampling(t *testing.T) {
	const maxRate = 100_000
	resolver := probe.NewResolver(probe.Options{Root: t.TempDir()}) // which has no list of PMUs, so all counters may exist
	for _, c := range []struct {
		event     string
		period    uint64 // 0: that of the event
		frequency uint64 // 0: that of the event
		maxRate   uint64
		want      string // part of the error; "" means none
	}{
		{"cpu-clock", 0, 0, maxRate, ""},
		{"cpu-clock", 7, 0, maxRate, "every 7 ns could stall the machine: the shortest period of cpu-clock is 100000 ns (10000 samples per second)"},
		{"task-clock", 1, 0, maxRate, "shortest period of task-clock is 100000 ns"},
		{"cpu-clock", 10_000, 0, maxRate, "100000 ns"},
		{"cpu-clock", 99_999, 0, maxRate, "100000 ns"},
		{"cpu-clock", 99_999, 0, 0, "100000 ns"},
		{"cpu-clock", 100_000, 0, maxRate, ""},
		{"cpu-clock", 100_000, 0, 0, ""},
		{"cpu-clock", 499_999, 0, 2000, "500000 ns (2000 samples per second)"},
		{"cpu-clock", 500_000, 0, 2000, ""},
		{"cpu-clock [every=7]", 0, 0, maxRate, "every 7 ns"},
		{"cpu-clock [every=7]", 0, 99, maxRate, "every 7 ns"}, // the period of the event counts
		{"cpu-clock", 0, 10_000, maxRate, ""},
		{"cpu-clock", 0, 10_001, maxRate, "10001 samples per second could stall the machine: the highest frequency of cpu-clock is 10000"},
		{"cpu-clock", 0, 200_000, maxRate, "at most 100000"},
		{"profile:hz:99", 0, 0, maxRate, ""},
		{"profile:us:10", 0, 0, maxRate, "100000 samples per second could stall"},
		{"profile:hz:1000000", 0, 0, maxRate, "raise kernel.perf_event_max_sample_rate"},
		{"profile:hz:1000", 0, 0, 999, "at most 999"},
		{"page-faults", 1, 0, maxRate, ""},
		{"context-switches [every=1]", 0, 0, maxRate, ""},
		{"page-faults", 0, 100_000, maxRate, ""},
		{"page-faults", 0, 100_001, maxRate, "at most 100000"},
		{"cycles", 7, 0, maxRate, "every 7 occurrences could stall the machine: the shortest period of cycles is 100000"},
		{"instructions", 99_999, 0, maxRate, "100000"},
		{"cycles", 100_000, 0, maxRate, ""},
		{"cycles", 0, 100_000, maxRate, ""},
		{"branches", 9999, 0, maxRate, "10000"},
		{"cache-misses", 999, 0, maxRate, "1000"},
		{"cache-misses", 1000, 0, maxRate, ""},
	} {
		events, err := probe.Parse(event.Context{}, c.event)
		if err != nil {
			t.Fatal(err)
		}
		probes, err := resolver.Resolve(events[0])
		if err != nil {
			t.Fatal(err)
		}
		p := &probes[0]
		if c.period > 0 {
			p.PerfPeriod = c.period
		}
		if c.frequency > 0 {
			p.Frequency = c.frequency
		}
		err = p.CheckSampling(c.maxRate)
		var invalid *event.InvalidError
		switch {
		case err == nil && c.want == "":
		case c.want == "" || !errors.As(err, &invalid) || !strings.HasPrefix(err.Error(), c.event+": ") || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s, period %d, frequency %d, maximum rate %d: %v, want %q", c.event, c.period, c.frequency, c.maxRate, err, c.want)
		}
	}
}
