package attach

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"trapline/format"
)

// multiType is the type of attachment that a program for a multi link is loaded with.
func (g *Group) multiType() ebpf.AttachType {
	switch g.probe.Kind {
	case format.ProbeKprobe, format.ProbeKretprobe:
		return ebpf.AttachTraceKprobeMulti
	}
	return ebpf.AttachTraceUprobeMulti
}

// atReturn reports whether the kernel is to call the program when the functions return.
func (g *Group) atReturn() bool {
	switch g.probe.Kind {
	case format.ProbeKretprobe:
		return true
	case format.ProbeUretprobe:
		return !g.probe.AtReturns
	}
	return false
}

// openMulti attaches to all sites by one link.
func (a *Attachment) openMulti() error {
	var l link.Link
	var err error
	switch a.Group.probe.Kind {
	case format.ProbeKprobe, format.ProbeKretprobe:
		l, err = a.kprobeMulti()
	default:
		l, err = a.uprobeMulti()
	}
	if err != nil {
		return err
	}
	a.Links = append(a.Links, l)
	return nil
}

// kprobeMulti needs Linux 5.18 with CONFIG_FPROBE.
func (a *Attachment) kprobeMulti() (link.Link, error) {
	var opt link.KprobeMultiOptions
	byAddress := true // names need not be unique
	for _, s := range a.Group.sites {
		byAddress = byAddress && s.Address != 0
	}
	for _, s := range a.Group.sites {
		if byAddress {
			opt.Addresses = append(opt.Addresses, uintptr(s.Address))
		} else {
			opt.Symbols = append(opt.Symbols, s.Function)
		}
		if a.Group.many {
			opt.Cookies = append(opt.Cookies, uint64(s.index))
		}
	}
	if a.Group.atReturn() {
		return link.KretprobeMulti(a.program, opt)
	}
	return link.KprobeMulti(a.program, opt)
}

// uprobeMulti needs Linux 6.6.
func (a *Attachment) uprobeMulti() (link.Link, error) {
	ex, err := link.OpenExecutable(a.Group.probe.Path)
	if err != nil {
		return nil, err
	}
	var opt link.UprobeMultiOptions
	counters := false
	for _, s := range a.Group.sites {
		opt.Addresses = append(opt.Addresses, s.Offset)
		opt.RefCtrOffsets = append(opt.RefCtrOffsets, s.RefCounter)
		counters = counters || s.RefCounter != 0
		if a.Group.many {
			opt.Cookies = append(opt.Cookies, uint64(s.index))
		}
	}
	if !counters {
		opt.RefCtrOffsets = nil
	}
	if a.Group.atReturn() {
		return ex.UretprobeMulti(nil, a.program, &opt)
	}
	return ex.UprobeMulti(nil, a.program, &opt)
}

// openKprobes opens a perf event for each site.
func (a *Attachment) openKprobes() error {
	for _, s := range a.Group.sites {
		opt := &link.KprobeOptions{Offset: s.Offset}
		if a.Group.many {
			opt.Cookie = uint64(s.index)
		}
		attach := link.Kprobe
		if a.Group.atReturn() {
			attach = link.Kretprobe
		}
		l, err := attach(s.Function, a.program, opt)
		if err != nil {
			return &siteError{s.probe, err}
		}
		a.Links = append(a.Links, l)
	}
	return nil
}

// openUprobes opens a perf event for each site.
func (a *Attachment) openUprobes() error {
	ex, err := link.OpenExecutable(a.Group.probe.Path)
	if err != nil {
		return err
	}
	for _, s := range a.Group.sites {
		opt := &link.UprobeOptions{Address: s.Offset, RefCtrOffset: s.RefCounter}
		if a.Group.many {
			opt.Cookie = uint64(s.index)
		}
		attach := ex.Uprobe
		if a.Group.atReturn() {
			attach = ex.Uretprobe
		}
		l, err := attach(s.Function, a.program, opt)
		if err != nil {
			return &siteError{s.probe, err}
		}
		a.Links = append(a.Links, l)
	}
	return nil
}
