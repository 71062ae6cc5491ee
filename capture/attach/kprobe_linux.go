package attach

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/probe"
)

// kprobeMultiServes selects a multi link for several functions probed at their entry. A
// single function gets a perf event.
func kprobeMultiServes(sites []site) bool {
	return len(sites) > 1 && sites[0].Offset == 0 && features.HaveBPFLinkKprobeMulti() == nil
}

// attachKprobeMulti attaches to all functions with one link. It requires Linux 5.18 and
// CONFIG_FPROBE.
func attachKprobeMulti(t *target, l *links) error {
	var opt link.KprobeMultiOptions
	byAddress := true // names may be ambiguous
	for i := range t.sites {
		byAddress = byAddress && t.sites[i].Address != 0
	}
	for i := range t.sites {
		s := &t.sites[i]
		if byAddress {
			opt.Addresses = append(opt.Addresses, uintptr(s.Address))
		} else {
			opt.Symbols = append(opt.Symbols, s.Function)
		}
		if t.many {
			opt.Cookies = append(opt.Cookies, t.cookie(s))
		}
	}
	attach := link.KprobeMulti
	if t.atReturn {
		attach = link.KretprobeMulti
	}
	one, err := attach(t.program, opt)
	if err != nil {
		return err
	}
	l.add(one)
	return nil
}

// attachKprobes opens a perf event for each function.
func attachKprobes(t *target, l *links) error {
	attach := link.Kprobe
	if t.atReturn {
		attach = link.Kretprobe
	}
	for i := range t.sites {
		s := &t.sites[i]
		one, err := attach(s.Function, t.program, &link.KprobeOptions{Offset: s.Offset, Cookie: t.cookie(s)})
		if err != nil {
			return &siteError{s.probe, err}
		}
		l.add(one)
	}
	return nil
}

// explainKprobe explains why an existing function cannot be probed, or returns nil.
func explainKprobe(p *probe.Probe, err error) error {
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EILSEQ) {
		return nil
	}
	tracefs, _, mountErr := host.TraceFS()
	switch {
	case host.Blacklisted(p.Function):
		return &event.UnsupportedError{Event: p.Event, Reason: "the kernel forbids kprobes in " + p.Function + " (/sys/kernel/debug/kprobes/blacklist)",
			Remedy: "probe one of its callers"}
	case mountErr == nil && !host.Traceable(tracefs, p.Function):
		return &event.UnsupportedError{Event: p.Event, Reason: p.Function + " is notrace: the kernel does not allow tracing it (it is not in " + tracefs + "/available_filter_functions)",
			Remedy: "probe one of its callers"}
	case p.Offset != 0:
		return &event.InvalidError{Event: p.Event, Reason: fmt.Sprintf("the kernel refuses a probe at +%#x: that must be the start of an instruction that may be probed", p.Offset)}
	}
	return &event.UnsupportedError{Event: p.Event, Reason: fmt.Sprintf("the kernel refuses a probe in this function (%v)", err), Remedy: "probe one of its callers"}
}
