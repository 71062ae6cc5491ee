package attach

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/probe"
)

// explainLoad explains in the user's terms why a program cannot be loaded.
func explainLoad(b *backend, p *probe.Probe, err error) error {
	if b.explainLoad != nil {
		if why := b.explainLoad(p, err); why != nil {
			return why
		}
	}
	if host.IsDenied(err) && !isVerifier(err) {
		reason, remedy := host.LoadDenied()
		return &event.PermissionError{What: p.Event + ": loading the program", Reason: reason, Remedy: remedy}
	}
	return fmt.Errorf("%s: load the program: %w", p.Name, err)
}

func isVerifier(err error) bool {
	var ve *ebpf.VerifierError
	return errors.As(err, &ve) && len(ve.Log) > 0
}

// explainAttach explains why a loaded program cannot be attached.
func explainAttach(b *backend, p *probe.Probe, err error) error {
	if host.IsDenied(err) {
		need := []host.Capability{host.CapBPF, host.CapPerfmon}
		if p.Path != "" {
			need = append(need, host.CapSysAdmin) // perf_uprobe_event_init in kernel/events/core.c
		}
		reason, remedy := host.EventDenied(need...)
		return &event.PermissionError{What: p.Event + ": attaching", Reason: reason, Remedy: remedy}
	}
	if b.explainAttach != nil {
		if why := b.explainAttach(p, err); why != nil {
			return why
		}
	}
	return fmt.Errorf("%s: attach: %w", p.Name, err)
}

// siteOf returns the probe that an error is about and the error itself. Without a
// [siteError], the probe is first.
func siteOf(err error, first *probe.Probe) (*probe.Probe, error) {
	var at *siteError
	if errors.As(err, &at) {
		return at.probe, at.err
	}
	return first, err
}
