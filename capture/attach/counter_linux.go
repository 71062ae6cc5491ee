package attach

import (
	"errors"

	"golang.org/x/sys/unix"

	"trapline/capture/event"
	"trapline/capture/probe"
)

// defaultFrequency of timed events: not a divisor of the kernel's tick, so that
// samples do not run in step with what the tick does.
const defaultFrequency = 99

// attachCounters opens one perf event a CPU and attaches the program to each.
func attachCounters(t *target, l *links) error {
	attr := unix.PerfEventAttr{
		Type:   t.probe.PerfType,
		Config: t.probe.PerfConfig,
		Sample: t.probe.Frequency,
		Bits:   unix.PerfBitFreq,
	}
	if attr.Sample == 0 {
		attr.Sample = defaultFrequency
	}
	if t.probe.PerfPeriod > 0 {
		attr.Sample, attr.Bits = t.probe.PerfPeriod, 0
	}
	for _, cpu := range t.cpus {
		e, err := openEvent(t.program, &attr, anyTask, cpu, 0)
		l.keep(e)
		if err != nil {
			return err
		}
	}
	return nil
}

// explainCounter says why a counter could not be opened; nil: not known.
func explainCounter(p *probe.Probe, err error) error {
	if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return &event.UnsupportedError{Event: p.Event, Reason: "this machine has no such counter (virtual machines often have none)",
		Remedy: "use -e cpu-clock"}
}
