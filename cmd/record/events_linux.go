package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"trapline/capture/event"
	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
)

// An eventFlag is one -e with what was said about it.
type eventFlag struct {
	text    string
	filters []string      // of the --filter flags that follow
	context event.Context // of the -x or -m that precedes
}

// eventFlags are the -e of a command line in their order, which says what --filter, -x
// and -m apply to.
type eventFlags struct {
	list    []eventFlag
	files   []string      // of -f
	first   event.Context // the first -x or -m, for events before any
	context event.Context // the last one

	named string // what -m named and is no size
}

func (f *eventFlags) add(g *pflag.FlagSet) {
	g.VarP(&orderedValue{typ: "EVENT", set: f.event}, "event", "e", "record this `EVENT` (repeatable)")
	g.StringArrayVarP(&f.files, "probes", "f", nil, "record the events of a probe `FILE` (repeatable)")
	g.Var(&orderedValue{typ: "EXPR", set: f.filter}, "filter", "keep the hits of the -e before for which `EXPR` holds; several are joined by &&")
	g.VarP(&orderedValue{typ: "BINARY", set: f.binary}, "exec", "x", "take events that name a function alone from this `BINARY`")
	g.Var(&orderedValue{typ: "MODULE", set: f.module}, "module", "take them from this kernel `MODULE`, or vmlinux (-m too)")
}

func (f *eventFlags) event(text string) error {
	f.list = append(f.list, eventFlag{text: text, context: f.context})
	return nil
}

func (f *eventFlags) filter(text string) error {
	if len(f.list) == 0 {
		return errors.New("--filter must follow the -e it applies to")
	}
	last := &f.list[len(f.list)-1]
	last.filters = append(last.filters, text)
	return nil
}

func (f *eventFlags) binary(name string) error { return f.in(event.Context{Binary: name}) }
func (f *eventFlags) module(name string) error { return f.in(event.Context{Module: name}) }
func (f *eventFlags) in(c event.Context) error {
	if c == (event.Context{}) {
		return errors.New("it is empty")
	}
	if f.first == (event.Context{}) {
		f.first = c
	}
	f.context = c
	return nil
}

// parse reads the events, with the filters as part of their predicates. Without any
// -e and -f it reads the fallback.
func (f *eventFlags) parse(fallback func() string) ([]event.Event, error) {
	list := f.list
	if len(list)+len(f.files) == 0 {
		list = []eventFlag{{text: fallback(), context: f.context}}
	}
	events, err := readProbeFiles(f.files)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		parsed, err := f.parseOne(e)
		if err != nil {
			return nil, err
		}
		events = append(events, parsed...)
	}
	inModule := func(e event.Event) bool { return e.Module == f.named }
	if f.named != "" && len(events) > 0 && !slices.ContainsFunc(events, inModule) {
		return nil, usage(fmt.Errorf("-m %q: neither a size, as in 8M, nor the kernel module of an event", f.named))
	}
	return events, nil
}

func (f *eventFlags) parseOne(e eventFlag) ([]event.Event, error) {
	context := e.context
	if context == (event.Context{}) {
		context = f.first
	}
	events, err := probe.Parse(context, e.text)
	if err != nil {
		return nil, err
	}
	for i := range events {
		for _, filter := range e.filters {
			if err := events[i].Require(filter); err != nil {
				return nil, err
			}
		}
	}
	return events, nil
}

func readProbeFiles(names []string) ([]event.Event, error) {
	var events []event.Event
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(file, event.MaxProbeFile+1))
		file.Close()
		if err != nil {
			return nil, err
		}
		parsed, err := probe.ParseFile(name, text)
		if err != nil {
			return nil, usage(err)
		}
		events = append(events, parsed...)
	}
	return events, nil
}

// An orderedValue is a flag whose place among others matters.
type orderedValue struct {
	typ string
	set func(string) error
}

func (v *orderedValue) Type() string       { return v.typ }
func (v *orderedValue) String() string     { return "" }
func (v *orderedValue) Set(s string) error { return v.set(s) }

// A bufferValue is -m, which perf record takes a size with and perf probe a kernel module.
type bufferValue struct {
	bytes  *uint64
	events *eventFlags
	text   string // of the size
}

func (v *bufferValue) Type() string   { return "size" }
func (v *bufferValue) String() string { return v.text }

func (v *bufferValue) Set(s string) error {
	n, err := cli.ParseSize(s, pageSize)
	if err == nil {
		*v.bytes, v.text = n, s
		return nil
	}
	if s == "" || s[0] >= '0' && s[0] <= '9' || s[0] == '-' {
		return err
	}
	v.events.named = s
	return v.events.module(s)
}

// pageSize is the unit of -m, as of perf's.
const pageSize = 4096
