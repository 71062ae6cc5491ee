package attach

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/probe"
	"trapline/format"
)

// explainLoad says why a program could not be loaded, in the user's terms.
func explainLoad(pr *probe.Probe, err error) error {
	tracing := pr.Kind == format.ProbeFentry || pr.Kind == format.ProbeFexit
	switch {
	case tracing && errors.Is(err, unix.EPERM) && len(host.Missing(host.BPF, host.Perfmon)) == 0 && host.Lockdown() != "confidentiality":
		return &event.UnsupportedError{Event: pr.Event, Reason: "this kernel refuses fentry and fexit programs",
			Remedy: "a tracepoint or rawtracepoint near the function works; see record -l"}
	case host.IsDenied(err) && !isVerifier(err):
		reason, remedy := host.LoadDenied()
		return &event.PermissionError{What: pr.Event + ": loading the program", Reason: reason, Remedy: remedy}
	case tracing && (errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EINVAL) || errors.Is(err, link.ErrNotSupported)):
		return &event.UnsupportedError{Event: pr.Event, Reason: "the kernel cannot trace this function by fentry (it is notrace, or inlined)",
			Remedy: "try kprobe:" + pr.Function}
	}
	return fmt.Errorf("%s: load the program: %w", pr.Name, err)
}

func isVerifier(err error) bool {
	var ve *ebpf.VerifierError
	return errors.As(err, &ve) && len(ve.Log) > 0
}

// explainAttach says why a loaded program could not be attached.
func explainAttach(pr *probe.Probe, err error) error {
	kprobe := pr.Kind == format.ProbeKprobe || pr.Kind == format.ProbeKretprobe
	switch {
	case host.IsDenied(err):
		need := []host.Capability{host.BPF, host.Perfmon}
		if pr.Path != "" {
			need = append(need, host.SysAdmin) // perf_uprobe_event_init in kernel/events/core.c
		}
		reason, remedy := host.EventDenied(need...)
		return &event.PermissionError{What: pr.Event + ": attaching", Reason: reason, Remedy: remedy}
	case pr.Kind == format.ProbeWatchpoint:
		return explainWatchpoint(pr, err)
	case pr.Kind == format.ProbeTimed && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP)):
		return &event.UnsupportedError{Event: pr.Event, Reason: "this machine has no such counter (virtual machines often have none)",
			Remedy: "use -e cpu-clock"}
	case kprobe && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EILSEQ)):
		return explainKprobe(pr, err)
	}
	return fmt.Errorf("%s: attach: %w", pr.Name, err)
}

// explainKprobe says why the kernel takes no probe in a function that it has.
func explainKprobe(pr *probe.Probe, err error) error {
	tracefs, _, mountErr := host.TraceFS()
	switch {
	case host.Blacklisted(pr.Function):
		return &event.UnsupportedError{Event: pr.Event, Reason: "the kernel forbids kprobes in " + pr.Function + " (/sys/kernel/debug/kprobes/blacklist)",
			Remedy: "probe a caller of it"}
	case mountErr == nil && !host.Traceable(tracefs, pr.Function):
		return &event.UnsupportedError{Event: pr.Event, Reason: pr.Function + " is notrace: the kernel lets nothing trace it (it is not in " + tracefs + "/available_filter_functions)",
			Remedy: "probe a caller of it"}
	case pr.Offset != 0:
		return &event.InvalidError{Event: pr.Event, Reason: fmt.Sprintf("the kernel refuses a probe at +%#x: that must be the start of an instruction that may be probed", pr.Offset)}
	}
	return &event.UnsupportedError{Event: pr.Event, Reason: fmt.Sprintf("the kernel refuses a probe in this function (%v)", err), Remedy: "probe a caller of it"}
}
