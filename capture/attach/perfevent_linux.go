package attach

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"trapline/capture/host"
	"trapline/capture/probe"
)

// openTracepoints attaches to a perf event of each tracepoint that is never enabled:
// programs run for a tracepoint as soon as there is an event of it, and an
// enabled one would cost every hit on its CPU a sample that nobody reads.
func (a *Attachment) openTracepoints(cpu int) error {
	dir, _, err := host.TraceFS()
	if err != nil {
		return err
	}
	errs := make([]error, len(a.Group.sites))
	var mu sync.Mutex
	each(len(errs), func(i int) {
		s := &a.Group.sites[i]
		attr, err := tracepointEvent(dir, s.probe)
		if err == nil {
			var o opened
			o, err = a.openPerf(attr, cpu, uint64(s.index))
			mu.Lock()
			a.keep(o)
			mu.Unlock()
		}
		if err != nil {
			errs[i] = &siteError{s.probe, err}
		}
	})
	return errors.Join(errs...)
}

// tracepointEvent describes a perf event of a tracepoint.
func tracepointEvent(tracefs string, p *probe.Probe) (*unix.PerfEventAttr, error) {
	b, err := os.ReadFile(filepath.Join(tracefs, "events", p.Group, p.Function, "id"))
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return nil, err
	}
	return &unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Sample_type: unix.PERF_SAMPLE_RAW,
		Sample: 1, Bits: unix.PerfBitDisabled}, nil
}

// An opened perf event, with the program attached to it.
type opened struct {
	fd   int // -1: none
	link link.Link
}

func (a *Attachment) keep(o opened) {
	if o.fd >= 0 {
		a.perf = append(a.perf, o.fd)
	}
	if o.link != nil {
		a.Links = append(a.Links, o.link)
	}
}

// openPerf opens a perf event on a CPU and attaches the program to it.
func (a *Attachment) openPerf(attr *unix.PerfEventAttr, cpu int, cookie uint64) (opened, error) {
	return a.openPerfOf(attr, -1, cpu, cookie)
}

// openPerfOf does so for a thread, or for all with -1; CPU -1 is any.
func (a *Attachment) openPerfOf(attr *unix.PerfEventAttr, tid, cpu int, cookie uint64) (opened, error) {
	attr.Size = uint32(unsafe.Sizeof(*attr))
	fd, err := unix.PerfEventOpen(attr, tid, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return opened{fd: -1}, fmt.Errorf("perf_event_open: %w", err)
	}
	l, err := attachPerf(fd, a.program, cookie)
	if err != nil {
		return opened{fd: fd}, fmt.Errorf("attach to the perf event: %w", err)
	}
	return opened{fd, l}, nil
}

// attachPerf links a program to a perf event, with a cookie (5.15). The library does so
// for events that it opens itself alone.
func attachPerf(fd int, program *ebpf.Program, cookie uint64) (link.Link, error) {
	attr := struct { // link_create of union bpf_attr in include/uapi/linux/bpf.h
		program, target, attachType, flags uint32
		cookie                             uint64
	}{uint32(program.FD()), uint32(fd), unix.BPF_PERF_EVENT, 0, cookie}
	l, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_LINK_CREATE, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(program)
	if errno != 0 {
		return nil, errno
	}
	return link.NewFromFD(int(l))
}

// defaultFrequency of timed events: not a divisor of the kernel's tick, so that
// samples do not run in step with what the tick does.
const defaultFrequency = 99

// openTimed opens one perf event a CPU and attaches the program to each.
func (a *Attachment) openTimed(cpus []int) error {
	attr := unix.PerfEventAttr{
		Type:   a.Group.probe.PerfType,
		Config: a.Group.probe.PerfConfig,
		Sample: a.Group.probe.Frequency,
		Bits:   unix.PerfBitFreq,
	}
	if attr.Sample == 0 {
		attr.Sample = defaultFrequency
	}
	if a.Group.probe.PerfPeriod > 0 {
		attr.Sample, attr.Bits = a.Group.probe.PerfPeriod, 0
	}
	for _, cpu := range cpus {
		o, err := a.openPerf(&attr, cpu, 0)
		a.keep(o)
		if err != nil {
			return err
		}
	}
	return nil
}
