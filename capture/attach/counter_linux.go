package attach

import (
	"errors"

	"golang.org/x/sys/unix"

	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/probe"
)

// defaultFrequency of timed events, in Hz. It does not divide the kernel's tick rate, so
// samples do not run in step with the tick.
const defaultFrequency = 99

// attachCounters opens a perf event on each CPU.
func attachCounters(t *target, l *links) error {
	maxRate := host.MaxSampleRate()
	if err := t.probe.CheckSampling(maxRate); err != nil {
		return err
	}
	attr := unix.PerfEventAttr{
		Type:   t.probe.PerfType,
		Config: t.probe.PerfConfig,
		Sample: t.probe.Frequency,
		Bits:   unix.PerfBitFreq,
	}
	if attr.Sample == 0 {
		attr.Sample = defaultFrequency
		if maxRate > 0 {
			attr.Sample = min(attr.Sample, maxRate)
		}
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

// explainCounter explains why a counter cannot be opened, or returns nil.
func explainCounter(p *probe.Probe, err error) error {
	if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return &event.UnsupportedError{Event: p.Event, Reason: "this machine has no such counter (virtual machines often lack them)",
		Remedy: "use -e cpu-clock"}
}
