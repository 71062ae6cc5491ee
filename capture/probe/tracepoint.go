package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/tracefs"
	"trapline/format"
	"trapline/internal/glob"
	"trapline/internal/nearest"
)

func init() {
	Register(&Kind{
		Syntax:    event.Syntax{Kind: format.ProbeTracepoint, Spellings: []string{"tracepoint", "t"}, Form: event.FormTracepoint, Arguments: true, MeasuresCalls: exitsSystemCall},
		What:      "static tracepoint",
		Stability: "stable: names and fields rarely change between kernels",

		Program:      bpf.HooksProgOnTracepoint,
		EntryProgram: bpf.HooksProgOnCallTracepoint,
		Exclusive:    true,
		HookFrames:   1,
		Backends:     []Backend{TracepointEvent},
		Sharing: func(p *Probe, s *Site) string {
			return fmt.Sprintf("%t %v %v", p.AtSystemCall(), p.DataLocs, s.Fetch)
		},
		Entry: func(p *Probe) { p.Function = entryTracepoint(p.Group, p.Function) },
		Needs: []Need{{Name: "tracepoint", Backend: TracepointEvent, Config: []string{"CONFIG_BPF_EVENTS", "CONFIG_EVENT_TRACING"}}},

		Resolve:  (*Resolver).resolveTracepoint,
		List:     (*Resolver).listTracepoints,
		ListRank: 2,
	})
}

// AtSystemCall reports whether the probe is a tracepoint of a single system call. Its
// kernel stack is always the same few frames.
func (p *Probe) AtSystemCall() bool {
	return p.Kind == format.ProbeTracepoint && p.Group == tracefs.SystemCalls
}

func (r *Resolver) resolveTracepoint(ev *event.Event) ([]Probe, error) {
	systems, err := glob.Parse(ev.System)
	if err != nil {
		return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
	names, err := glob.Parse(ev.Name)
	if err != nil {
		return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
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
	var probes []Probe
	err = r.tracefs.Each(systems.Match, names.Match, func(system, name string) error {
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

// tracepoint returns the probe of a tracepoint with all of its fields. Errors are those
// of [tracefs.Dir.Record].
func (r *Resolver) tracepoint(system, name string) (*Probe, error) {
	record, err := r.tracefs.Record(system, name)
	if err != nil {
		return nil, err
	}
	return &Probe{Kind: format.ProbeTracepoint, Name: system + ":" + name, Group: system, Function: name, Record: *record}, nil
}

// chooseFields replaces the fields of a tracepoint's probe by what an event asks for.
func (r *Resolver) chooseFields(ev *event.Event, p *Probe) error {
	err := r.kernel.ChooseFields(ev, &p.Record, p.AtSystemCall())
	if err == nil {
		return nil
	}
	reason := err.Error()
	if ev.Match != event.MatchExact {
		reason = p.Name + ": " + reason // say which of the matches it is
	}
	return &event.InvalidError{Event: ev.Text, Reason: reason}
}

// noTracepoint explains why no tracepoint matched.
func (r *Resolver) noTracepoint(ev *event.Event) error {
	e := &event.NotFoundError{Event: ev.Text, Reason: "no such tracepoint"}
	if glob.HasMeta(ev.System) || glob.HasMeta(ev.Name) {
		e.Reason = "no tracepoint matches"
		return e
	}
	near := nearest.To(ev.System + ":" + ev.Name)
	sameName := ""
	err := r.tracefs.Each(tracefs.All, tracefs.All, func(system, name string) error {
		if name == ev.Name {
			sameName = system + ":" + name
		}
		near.Add(system + ":" + name)
		return nil
	})
	if err != nil {
		return err
	}
	if e.Nearest = near.Names(); len(e.Nearest) == 0 && sameName != "" {
		e.Nearest = []string{sameName}
	}
	return e
}

// exitsSystemCall reports whether an event hits at the exit of system calls.
func exitsSystemCall(ev *event.Event) bool { return entryTracepoint(ev.System, ev.Name) != "" }

// entryTracepoint returns the tracepoint at the entry of the system calls at whose exit
// the given one hits, or "". Names may be patterns.
func entryTracepoint(system, name string) string {
	if rest, ok := strings.CutPrefix(name, "sys_exit"); ok && (system == tracefs.SystemCalls || system == "raw_syscalls") {
		return "sys_enter" + rest
	}
	return ""
}

// asTracepoint returns the tracepoint that perf probe creates for an event, if the event
// is spelled like one of perf probe's. Otherwise it returns nil.
func asTracepoint(ev *event.Event) *event.Event {
	if ev.System == "" || ev.Syntax.Form == event.FormTracepoint {
		return nil
	}
	made := *ev
	made.Syntax, made.Binary, made.Provider = &KindOf(format.ProbeTracepoint).Syntax, "", ""
	if ev.Syntax.AtReturn() {
		made.Name += event.ReturnSuffix
	}
	return &made
}

var errStop = errors.New("stop")

func (r *Resolver) listTracepoints(k *Kind, s *Selection, yield func(Listing) bool) error {
	err := r.tracefs.Each(tracefs.All, tracefs.All, func(system, name string) error {
		l := Listing{Kind: k.Kind, Name: system + ":" + name}
		if !s.Match(l.Name) {
			return nil
		}
		if s.Verbose {
			t, err := r.tracepoint(system, name)
			if err != nil {
				return err
			}
			l.Fields = t.Fields
		}
		if !yield(l) {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}
