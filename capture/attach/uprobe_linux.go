package attach

import (
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"

	"trapline/capture/host"
)

// uprobeMultiServes selects a multi link for several places, and for a single one without
// CAP_SYS_ADMIN, which a uprobe's perf event requires.
func uprobeMultiServes(sites []site) bool {
	return (len(sites) > 1 || !host.Have(host.CapSysAdmin)) && features.HaveBPFLinkUprobeMulti() == nil
}

// attachUprobeMulti attaches to all places with one link. It requires Linux 6.6.
func attachUprobeMulti(t *target, l *links) error {
	ex, err := link.OpenExecutable(t.probe.Path)
	if err != nil {
		return err
	}
	var opt link.UprobeMultiOptions
	counters := false
	for i := range t.sites {
		s := &t.sites[i]
		opt.Addresses = append(opt.Addresses, s.Offset)
		opt.RefCtrOffsets = append(opt.RefCtrOffsets, s.RefCounter)
		counters = counters || s.RefCounter != 0
		if t.many {
			opt.Cookies = append(opt.Cookies, t.cookie(s))
		}
	}
	if !counters {
		opt.RefCtrOffsets = nil
	}
	attach := ex.UprobeMulti
	if t.atReturn {
		attach = ex.UretprobeMulti
	}
	one, err := attach(nil, t.program, &opt)
	if err != nil {
		return err
	}
	l.add(one)
	return nil
}

// attachUprobes opens a perf event for each place.
func attachUprobes(t *target, l *links) error {
	ex, err := link.OpenExecutable(t.probe.Path)
	if err != nil {
		return err
	}
	attach := ex.Uprobe
	if t.atReturn {
		attach = ex.Uretprobe
	}
	for i := range t.sites {
		s := &t.sites[i]
		one, err := attach(s.Function, t.program, &link.UprobeOptions{Address: s.Offset, RefCtrOffset: s.RefCounter, Cookie: t.cookie(s)})
		if err != nil {
			return &siteError{s.probe, err}
		}
		l.add(one)
	}
	return nil
}
