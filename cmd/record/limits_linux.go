package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
	"trapline/format"
)

// limits are the flags that say how many hits are kept, and when.
type limits struct {
	every   uint64
	rate    uint64
	max     uint64
	latency time.Duration
	delay   string
	readyFD int
}

func (l *limits) addHits(g *pflag.FlagSet) {
	g.Uint64VarP(&l.every, "count", "c", 0, "keep one of `N` hits of each probe and CPU; of timed events, a sample every N")
	cli.DurationVar(g, &l.latency, "min-latency", "", "keep return hits of calls that took at least this `TIME`, as in 5ms")
	g.Uint64Var(&l.rate, "max-rate", 0, "keep at most `N` hits a second of each probe")
}

func (l *limits) addRun(g *pflag.FlagSet) {
	g.Uint64VarP(&l.max, "max-hits", "M", 0, "stop after `N` hits")
	g.StringVarP(&l.delay, "delay", "D", "", "record from `MS` milliseconds after the start on")
	g.IntVar(&l.readyFD, "ready-fd", -1, "write a line to the file descriptor `N` once hits are recorded")
}

// requireLatency makes events at returns, which one at least must be, keep slow calls only.
func (l *limits) requireLatency(events []probe.Event) error {
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
		return &probe.InvalidError{Event: "--min-latency " + l.latency.String(),
			Reason: "no event is at the return of a call: kretprobe, fexit, uretprobe, or a sys_exit tracepoint"}
	}
	return nil
}

// apply checks the limits and puts those of the recording into its options.
func (l *limits) apply(c *config) (err error) {
	switch {
	case l.every > math.MaxUint32:
		return fmt.Errorf("-c %d: at most %d", l.every, uint32(math.MaxUint32))
	case l.every > 0 && c.hz > 0:
		return errors.New("-c and -F exclude each other")
	case l.rate > probe.MaxRate:
		return fmt.Errorf("--max-rate %d: at most %d", l.rate, uint64(probe.MaxRate))
	}
	if l.readyFD >= 0 {
		f := os.NewFile(uintptr(l.readyFD), "ready")
		if f == nil {
			return fmt.Errorf("--ready-fd %d: no such file descriptor", l.readyFD)
		}
		if _, err := f.Stat(); err != nil {
			return fmt.Errorf("--ready-fd %d is not open: %w", l.readyFD, errors.Unwrap(err))
		}
		c.ready = f
	}
	c.opt.MaxHits = l.max
	c.opt.Delay, err = parseDelay(l.delay)
	return err
}

// parseDelay reads milliseconds, as perf does, or a duration with its unit.
func parseDelay(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if ms, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(ms) * time.Millisecond, nil
	}
	d, err := cli.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("-D %s: expected milliseconds, or a time such as 2s", s)
	}
	return d, nil
}

// limitProbes gives the limits of the command line to the probes that have none of their own.
func (l *limits) limitProbes(probes []probe.Probe) {
	for i := range probes {
		p := &probes[i]
		switch {
		case p.Kind == format.ProbeTimed && p.Frequency == 0 && p.PerfPeriod == 0:
			p.PerfPeriod = l.every
		case p.Kind != format.ProbeTimed && p.Limits.Every == 0:
			p.Limits.Every = l.every
		}
		if p.Limits.Rate == 0 {
			p.Limits.Rate = l.rate
		}
	}
}

// sayReady tells who waits for it that hits are recorded from now on.
func (c *config) sayReady(env cli.Env) {
	if c.ready == nil {
		return
	}
	if _, err := c.ready.WriteString("ready\n"); err != nil {
		env.Warningf("--ready-fd: %v", err)
	}
	if c.ready.Fd() > 2 {
		c.ready.Close()
	}
}
