package probe

import (
	"fmt"
	"time"

	"trapline/capture/event"
)

// CheckSampling returns an error if the probe asks for samples at a rate that could stall
// the machine: a period or frequency outside the limits of its event. maxRate is
// kernel.perf_event_max_sample_rate in samples per second; 0 means unknown. Its error is
// an [event.InvalidError].
func (p *Probe) CheckSampling(maxRate uint64) error {
	if k := KindOf(p.Kind); k == nil || !k.Sampled {
		return nil
	}
	t := p.timedEvent()
	reason := ""
	if p.PerfPeriod > 0 {
		reason = t.checkPeriod(p.PerfPeriod, maxRate)
	} else {
		reason = t.checkFrequency(p.Frequency, maxRate)
	}
	if reason == "" {
		return nil
	}
	return &event.InvalidError{Event: p.Event, Reason: reason}
}

// timedEvent returns the event that the probe samples.
func (p *Probe) timedEvent() timedEvent {
	for _, t := range timedEvents {
		if t.typ == p.PerfType && t.config == p.PerfConfig {
			return t
		}
	}
	return timedEvent{name: p.Name, typ: p.PerfType, config: p.PerfConfig, minPeriod: 1}
}

// checkPeriod returns why a period is too short, or "".
func (t *timedEvent) checkPeriod(period, maxRate uint64) string {
	least := t.minPeriod
	if t.clock() && maxRate > 0 {
		least = max(least, uint64(time.Second)/maxRate)
	}
	switch {
	case period >= least:
		return ""
	case t.clock():
		return fmt.Sprintf("a sample every %d ns could stall the machine: the shortest period of %s is %d ns (%d samples per second)",
			period, t.name, least, uint64(time.Second)/least)
	}
	return fmt.Sprintf("a sample every %s could stall the machine: the shortest period of %s is %d",
		event.Counted(int(period), "occurrence"), t.name, least)
}

// checkFrequency returns why a frequency is too high, or "".
func (t *timedEvent) checkFrequency(frequency, maxRate uint64) string {
	if maxRate > 0 && frequency > maxRate {
		return TooFrequent(frequency, maxRate)
	}
	if most := uint64(time.Second / minClockPeriod); t.clock() && frequency > most {
		return fmt.Sprintf("%d samples per second could stall the machine: the highest frequency of %s is %d", frequency, t.name, most)
	}
	return ""
}

// TooFrequent says that the kernel refuses a frequency above maxRate.
func TooFrequent(frequency, maxRate uint64) string {
	return fmt.Sprintf("%d samples per second are too many: this kernel allows at most %d; choose a lower frequency or raise kernel.perf_event_max_sample_rate",
		frequency, maxRate)
}
