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
	"trapline/format"
)

// limitFlags say how many hits of each probe are kept. Events may have limits of their
// own, which come first.
type limitFlags struct {
	every     uint64
	rate      uint64
	frequency uint64
	latency   time.Duration
}

func (l *limitFlags) addFrequency(g *pflag.FlagSet) {
	g.Uint64VarP(&l.frequency, "freq", "F", 0, "take `HZ` samples a second with timed events (default 99)")
}

func (l *limitFlags) add(g *pflag.FlagSet) {
	g.Uint64VarP(&l.every, "count", "c", 0, "keep one of `N` hits of each probe and CPU; of timed events, a sample every N")
	cli.DurationVar(g, &l.latency, "min-latency", "", "keep return hits of calls that took at least this `TIME`, as in 5ms")
	g.Uint64Var(&l.rate, "max-rate", 0, "keep at most `N` hits a second of each probe")
}

func (l *limitFlags) validate() error {
	switch {
	case l.every > math.MaxUint32:
		return fmt.Errorf("-c %d: at most %d", l.every, uint32(math.MaxUint32))
	case l.every > 0 && l.frequency > 0:
		return errors.New("-c and -F exclude each other")
	case l.rate > event.MaxRate:
		return fmt.Errorf("--max-rate %d: at most %d", l.rate, uint64(event.MaxRate))
	}
	return nil
}

// requireLatency makes events at returns, which one at least must be, keep slow calls only.
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
			Reason: "no event is at the return of a call: kretprobe, fexit, uretprobe, or a sys_exit tracepoint"}
	}
	return nil
}

// apply sets the limits of probes that have none of their own.
func (l *limitFlags) apply(probes []probe.Probe) {
	for i := range probes {
		p := &probes[i]
		if p.Kind == format.ProbeTimed {
			l.applyTimed(p)
		} else if p.Limits.Every == 0 {
			p.Limits.Every = l.every
		}
		if p.Limits.Rate == 0 {
			p.Limits.Rate = l.rate
		}
	}
}

// applyTimed sets how often a timed event samples: -F overrides what it says itself.
func (l *limitFlags) applyTimed(p *probe.Probe) {
	if l.frequency > 0 {
		p.Frequency = l.frequency
	}
	if p.Frequency == 0 && p.PerfPeriod == 0 {
		p.PerfPeriod = l.every
	}
}
