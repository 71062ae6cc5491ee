package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"trapline/bpf"
	"trapline/format"
	"trapline/internal/glob"
)

func init() {
	Register(&Kind{
		Syntax:    Syntax{Kind: format.ProbeTracepoint, Spellings: []string{"tracepoint", "t"}, Arguments: true},
		What:      "static tracepoint",
		Stability: "stable: names and fields are kept from one kernel to the next, with few exceptions",
		Cost:      88,

		Program:      bpf.HooksProgOnTracepoint,
		EntryProgram: bpf.HooksProgOnCallTracepoint,
		Exclusive:    true,
		HookFrames:   1,
		Backends:     []Backend{TracepointEvent},
		Sharing: func(p *Probe, s *Site) string {
			return fmt.Sprintf("%t %v %v", p.AtSystemCall(), p.DataLocs, s.Fetch)
		},
		Entry: func(p *Probe) { p.Function = p.EntryTracepoint() },
		Needs: []Need{{Name: "tracepoint", Backend: TracepointEvent, Config: []string{"CONFIG_BPF_EVENTS", "CONFIG_EVENT_TRACING"}}},

		Resolve:  (*Resolver).resolveTracepoint,
		List:     (*Resolver).listTracepoints,
		ListRank: 2,
	})
}

// AtSystemCall reports whether the probe is a tracepoint of one system call. Its
// kernel stack is always the same few frames of the way in.
func (p *Probe) AtSystemCall() bool {
	return p.Kind == format.ProbeTracepoint && p.Group == systemCallGroup
}

var errNoTraceFS = &UnsupportedError{Feature: "tracepoints", Reason: "tracefs is not mounted",
	Remedy: "mount -t tracefs nodev /sys/kernel/tracing"}

func (r *Resolver) resolveTracepoint(ev *Event) ([]Probe, error) {
	systems, err := glob.Parse(ev.System)
	if err != nil {
		return nil, &InvalidError{ev.Text, err.Error()}
	}
	names, err := glob.Parse(ev.Name)
	if err != nil {
		return nil, &InvalidError{ev.Text, err.Error()}
	}
	var probes []Probe
	system, oneSystem := systems.Literal()
	name, oneName := names.Literal()
	if oneSystem && oneName {
		p, err := r.tracepoint(system, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, r.noTracepoint(ev)
		}
		if err == nil {
			err = r.chooseFields(ev, p)
		}
		return one(p, err)
	}
	err = r.eachTracepoint(systems, names, func(system, name string) error {
		p, err := r.tracepoint(system, name)
		if err == nil {
			err = r.chooseFields(ev, p)
		}
		if err == nil {
			probes = append(probes, *p)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(probes) == 0 {
		return nil, r.noTracepoint(ev)
	}
	return probes, nil
}

// tracepoint reads one tracepoint's format. It returns an error that matches
// fs.ErrNotExist when there is no such tracepoint that can be enabled: those of the
// group ftrace have a format too, for their records in the trace buffer.
func (r *Resolver) tracepoint(system, name string) (*Probe, error) {
	if r.opt.TraceFS == "" {
		return nil, errNoTraceFS
	}
	dir := filepath.Join(r.opt.TraceFS, "events", system, name)
	if _, err := os.Stat(filepath.Join(dir, "enable")); err != nil {
		return nil, traceFSError(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "format"))
	if err != nil {
		return nil, traceFSError(err)
	}
	f, err := parseFormat(system, string(text))
	if err != nil {
		return nil, fmt.Errorf("reading %s/format: %w", dir, err)
	}
	return &Probe{Kind: format.ProbeTracepoint, Name: system + ":" + name, Group: system, Function: name,
		Fields: f.fields, RecordSize: f.recordSize, DataLocs: f.dataLocs}, nil
}

// traceFSError puts what to do into an error about permissions.
func traceFSError(err error) error {
	var path *fs.PathError
	if errors.Is(err, fs.ErrPermission) && errors.As(err, &path) {
		return &PermissionError{What: "reading " + path.Path, Need: "root or CAP_DAC_READ_SEARCH, or a tracefs mounted with gid="}
	}
	return err
}

// eachTracepoint calls yield with the tracepoints that two globs match, sorted.
func (r *Resolver) eachTracepoint(systems, names *glob.Pattern, yield func(system, name string) error) error {
	if r.opt.TraceFS == "" {
		return errNoTraceFS
	}
	root := filepath.Join(r.opt.TraceFS, "events")
	groups, err := os.ReadDir(root) // sorted
	if err != nil {
		return traceFSError(err)
	}
	for _, g := range groups {
		if !g.IsDir() || g.Name() == "ftrace" || !systems.Match(g.Name()) {
			continue
		}
		events, err := os.ReadDir(filepath.Join(root, g.Name()))
		if err != nil {
			return traceFSError(err)
		}
		for _, e := range events {
			if !e.IsDir() || !names.Match(e.Name()) {
				continue
			}
			if err := yield(g.Name(), e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// noTracepoint explains why nothing matched.
func (r *Resolver) noTracepoint(ev *Event) error {
	e := &NotFoundError{Event: ev.Text, Reason: "no such tracepoint"}
	if glob.HasMeta(ev.System) || glob.HasMeta(ev.Name) {
		e.Reason = "no tracepoint matches"
		return e
	}
	near := newNearest(ev.System + ":" + ev.Name)
	all := glob.MustParse("*")
	sameName := ""
	err := r.eachTracepoint(all, all, func(system, name string) error {
		if name == ev.Name {
			sameName = system + ":" + name
		}
		near.add(system + ":" + name)
		return nil
	})
	if err != nil {
		return err
	}
	if e.Nearest = near.names(); len(e.Nearest) == 0 && sameName != "" {
		e.Nearest = []string{sameName}
	}
	return e
}
