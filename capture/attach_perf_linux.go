package capture

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// openTracepoint attaches to a perf event of the tracepoint that is never enabled:
// programs run for a tracepoint as soon as there is an event of it, and an
// enabled one would cost every hit on its CPU a sample that nobody reads.
func (a *attachment) openTracepoint(cpu int) error {
	dir, _, err := TraceFS()
	if err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(dir, "events", a.group.probe.Group, a.group.probe.Function, "id"))
	if err != nil {
		return err
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return err
	}
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Sample_type: unix.PERF_SAMPLE_RAW,
		Sample: 1, Bits: unix.PerfBitDisabled}
	return a.openPerf(&attr, cpu)
}

// openPerf opens a perf event on a CPU and attaches the program to it.
func (a *attachment) openPerf(attr *unix.PerfEventAttr, cpu int) error {
	attr.Size = uint32(unsafe.Sizeof(*attr))
	fd, err := unix.PerfEventOpen(attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("perf_event_open on CPU %d: %w", cpu, err)
	}
	a.perf = append(a.perf, fd)
	l, err := link.AttachRawLink(link.RawLinkOptions{Target: fd, Program: a.program, Attach: ebpf.AttachPerfEvent})
	if err != nil {
		return fmt.Errorf("attach to the perf event of CPU %d: %w", cpu, err)
	}
	a.links = append(a.links, l)
	return nil
}

// defaultFrequency of timed events: not a divisor of the kernel's tick, so that
// samples do not run in step with what the tick does.
const defaultFrequency = 99

// openTimed opens one perf event a CPU and attaches the program to each.
func (a *attachment) openTimed(cpus []int) error {
	attr := unix.PerfEventAttr{
		Type:   a.group.probe.PerfType,
		Config: a.group.probe.PerfConfig,
		Sample: a.group.probe.Frequency,
		Bits:   unix.PerfBitFreq,
	}
	if attr.Sample == 0 {
		attr.Sample = defaultFrequency
	}
	if a.group.probe.PerfPeriod > 0 {
		attr.Sample, attr.Bits = a.group.probe.PerfPeriod, 0
	}
	for _, cpu := range cpus {
		if err := a.openPerf(&attr, cpu); err != nil {
			return err
		}
	}
	return nil
}
