package main

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/spf13/pflag"

	"trapline/capture/event"
	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
)

// limitFlags limit how many hits of each probe are kept. The modifiers of an event take
// precedence.
type limitFlags struct {
	every     uint64
	rate      uint64
	frequency uint64
	latency   time.Duration
}

func (l *limitFlags) addFrequency(g *pflag.FlagSet) {
	cli.NumberVar(g, &l.frequency, "freq", "F", 1, math.MaxUint32, "sample timed events at `HZ` (default 99)")
}

func (l *limitFlags) add(g *pflag.FlagSet) {
	cli.NumberVar(g, &l.every, "count", "c", 1, math.MaxUint32, "keep one hit in `N` per probe and CPU; sample timed events every N occurrences")
	cli.PositiveDurationVar(g, &l.latency, "min-latency", "", "keep only returns from calls that took at least `TIME`, such as 5ms")
	cli.NumberVar(g, &l.rate, "max-rate", "", 1, event.MaxRate, "keep at most `N` hits a second per probe")
}

func (l *limitFlags) validate() error {
	if l.every > 0 && l.frequency > 0 {
		return errors.New("-c and -F exclude each other")
	}
	return nil
}

// requireLatency makes the events at returns keep only slow calls. At least one event
// must be at a return.
func (l *limitFlags) requireLatency(events []event.Event) error {
	if l.latency <= 0 {
		return nil
	}
	measured := false
	for i := range events {
		if e := &events[i]; e.MeasuresCalls() {
			measured = true
			if e.Modifiers.MinDuration == 0 {
				e.Modifiers.MinDuration = l.latency
			}
		}
	}
	if !measured {
		return &event.InvalidError{Event: "--min-latency " + l.latency.String(),
			Reason: "no event is at a return: use kretprobe, fexit, uretprobe or a sys_exit tracepoint"}
	}
	return nil
}

// apply sets the limits of probes whose events set none.
func (l *limitFlags) apply(probes []probe.Probe) {
	for i := range probes {
		p := &probes[i]
		if probe.KindOf(p.Kind).Sampled {
			l.applySampled(p)
		} else if p.Limits.Every == 0 {
			p.Limits.Every = l.every
		}
		if p.Limits.Rate == 0 {
			p.Limits.Rate = l.rate
		}
	}
}

// applySampled sets how often the kernel samples. -F overrides the event; -c does not.
func (l *limitFlags) applySampled(p *probe.Probe) {
	if l.frequency > 0 {
		p.Frequency = l.frequency
	}
	if p.Frequency == 0 && p.PerfPeriod == 0 {
		p.PerfPeriod = l.every
	}
}

// checkSampling returns an error if a probe asks for samples at a rate that could stall
// the machine, or that the kernel refuses. maxRate is that of host.MaxSampleRate.
func (l *limitFlags) checkSampling(probes []probe.Probe, maxRate uint64) error {
	if maxRate > 0 && l.frequency > maxRate {
		return usage(fmt.Errorf("-F %d: %s", l.frequency, probe.TooFrequent(l.frequency, maxRate)))
	}
	for i := range probes {
		p := &probes[i]
		err := p.CheckSampling(maxRate)
		switch {
		case err == nil:
		case l.every > 0 && p.PerfPeriod == l.every:
			return usage(fmt.Errorf("-c %d: %w", l.every, err))
		case l.frequency > 0 && p.PerfPeriod == 0:
			return usage(fmt.Errorf("-F %d: %w", l.frequency, err))
		default:
			return usage(err)
		}
	}
	return nil
}
