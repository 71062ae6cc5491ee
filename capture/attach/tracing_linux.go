package attach

import (
	"errors"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/probe"
)

// attachRawTracepoint attaches to the tracepoint that the program was loaded for.
func attachRawTracepoint(t *target, l *links) error {
	return attachTracing(t, l, ebpf.AttachTraceRawTp)
}

// attachTrampoline attaches to the function that the program was loaded for.
func attachTrampoline(t *target, l *links) error {
	if t.atReturn {
		return attachTracing(t, l, ebpf.AttachTraceFExit)
	}
	return attachTracing(t, l, ebpf.AttachTraceFEntry)
}

func attachTracing(t *target, l *links, at ebpf.AttachType) error {
	one, err := link.AttachTracing(link.TracingOptions{Program: t.program, AttachType: at})
	if err != nil {
		return err
	}
	l.add(one)
	return nil
}

// explainTrampolineLoad explains why a trampoline's program cannot be loaded, or returns
// nil.
func explainTrampolineLoad(p *probe.Probe, err error) error {
	switch {
	case errors.Is(err, unix.EPERM) && len(host.Missing(host.CapBPF, host.CapPerfmon)) == 0 && host.Lockdown() != "confidentiality":
		return &event.UnsupportedError{Event: p.Event, Reason: "this kernel refuses fentry and fexit programs",
			Remedy: "use a tracepoint or raw tracepoint near the function; see record -l"}
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EINVAL), errors.Is(err, link.ErrNotSupported):
		return &event.UnsupportedError{Event: p.Event, Reason: "the kernel cannot trace this function by fentry (it is notrace, or inlined)",
			Remedy: "try kprobe:" + p.Function}
	}
	return nil
}
