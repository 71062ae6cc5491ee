package attach

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"trapline/capture/host"
	"trapline/capture/probe"
)

// attachTracepoints opens a perf event for each tracepoint and never enables it. Programs
// run as soon as the event exists; enabled, it would also write a sample per hit that
// nobody reads.
func attachTracepoints(t *target, l *links) error {
	dir, _, err := host.TraceFS()
	if err != nil {
		return err
	}
	errs := make([]error, len(t.sites))
	var mu sync.Mutex
	each(len(errs), func(i int) {
		s := &t.sites[i]
		attr, err := tracepointEvent(dir, s.probe)
		if err == nil {
			var e attachedEvent
			e, err = openEvent(t.program, attr, anyTask, t.cpus[0], uint64(s.index))
			mu.Lock()
			l.keep(e)
			mu.Unlock()
		}
		if err != nil {
			errs[i] = &siteError{s.probe, err}
		}
	})
	return errors.Join(errs...)
}

// tracepointEvent returns the attributes of a tracepoint's perf event.
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
