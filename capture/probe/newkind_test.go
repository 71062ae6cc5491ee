package probe_test

import (
	"slices"
	"strings"
	"testing"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/probe"
	"trapline/format"
)

// systemCall is a made-up kind of probe: a kprobe at the function of a system call.
const systemCall = format.ProbeKind(200)

var knownCalls = []string{"openat", "read", "write"}

func init() {
	probe.Register(&probe.Kind{
		Syntax: event.Syntax{Kind: systemCall, Spellings: []string{"syscall", "sc"}, Form: event.FormKernelFunction,
			Arguments: true, Registers: true},
		What:      "system call",
		Stability: "stable",
		Program:   "on_registers",
		Backends:  []probe.Backend{probe.KprobeMulti, probe.KprobeEvent},
		Sharing:   func(*probe.Probe, *probe.Site) string { return "" },
		Resolve: func(_ *probe.Resolver, ev *event.Event) ([]probe.Probe, error) {
			if !slices.Contains(knownCalls, ev.Name) {
				return nil, &event.NotFoundError{Event: ev.Text, Reason: "no such system call"}
			}
			p := probe.Probe{Kind: systemCall, Name: "syscall:" + ev.Name, Function: "__x64_sys_" + ev.Name}
			for i, a := range ev.Args {
				p.Fetch = append(p.Fetch, layout.Fetch{Word: uint8(i)})
				p.Fields = append(p.Fields, layout.Field{Name: a.Name, Type: format.FieldHex, Size: 8, Count: 1})
			}
			return []probe.Probe{p}, nil
		},
		List: func(_ *probe.Resolver, k *probe.Kind, s *probe.Selection, yield func(probe.Listing) bool) error {
			for _, name := range knownCalls {
				if s.Match(name) && !yield(probe.Listing{Kind: k.Kind, Name: k.Name() + ":" + name}) {
					break
				}
			}
			return nil
		},
	})
}

// A descriptor is all that parsing, printing, resolving and listing a kind need.
func TestNewKind(t *testing.T) {
	events, err := probe.Parse(event.Context{}, "sc:openat /arg0 > 3/ path=arg1:string, sc:nothing")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := events[0].String(), "syscall:openat /arg0 > 3/ path=arg1:string"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	if _, err := probe.Parse(event.Context{}, "sc:openat+4"); err == nil || !strings.Contains(err.Error(), "syscall takes no offset") {
		t.Errorf("an offset: error %v", err)
	}
	r := probe.NewResolver(probe.Options{})
	if _, err := r.Resolve(events[1]); err == nil || !strings.Contains(err.Error(), "no such system call") {
		t.Errorf("a system call that does not exist: error %v", err)
	}
	events, err = probe.Parse(event.Context{}, "sc:openat how=arg2 [every=3]")
	if err != nil {
		t.Fatal(err)
	}
	probes, err := r.Resolve(events[0])
	if err != nil {
		t.Fatal(err)
	}
	p := probes[0]
	if p.Function != "__x64_sys_openat" || p.Limits.Every != 3 || p.RecordSize != layout.CommonSize+8 || len(p.Fields) != 1 || p.Fields[0].Offset != layout.CommonSize {
		t.Errorf("resolved to %+v", p)
	}
	if k := probe.KindOf(p.Kind); !slices.Contains(k.Backends, probe.KprobeEvent) || k.AtReturn() || k.String() != "system call; stable" {
		t.Errorf("kind %+v", k)
	}
	var listed []string
	err = r.List("syscall:*a*", false, func(l probe.Listing) bool {
		listed = append(listed, l.Name)
		return true
	})
	if err != nil || !slices.Equal(listed, []string{"syscall:openat", "syscall:read"}) {
		t.Errorf("listed %q, %v", listed, err)
	}
}
