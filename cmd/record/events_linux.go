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

// An eventFlag is one -e with the flags that apply to it.
type eventFlag struct {
	text    string
	filters []string      // of the --filter flags that follow
	context event.Context // of the -x or -m that precedes
}

// eventFlags are the event flags. Their order on the command line matters: --filter
// applies to the -e before it, -x and -m to those after it.
type eventFlags struct {
	list    []eventFlag
	files   []string      // of -f
	first   event.Context // the first -x or -m; it also applies to events before it
	context event.Context // the latest -x or -m

	named string // the argument of -m if it is not a size
}

func (f *eventFlags) add(g *pflag.FlagSet) {
	g.VarP(&orderedValue{typ: "EVENT", set: f.event}, "event", "e", "record this `EVENT` (repeatable)")
	g.VarP(&orderedValue{typ: "FILE", set: f.file}, "probes", "f", "record the events in the probe file `FILE` (repeatable)")
	g.Var(&orderedValue{typ: "EXPR", set: f.filter}, "filter", "keep only hits of the preceding -e for which `EXPR` is true; repeated filters are joined by &&")
	g.VarP(&orderedValue{typ: "BINARY", set: f.binary}, "exec", "x", "look up bare function names in this `BINARY`")
	g.Var(&orderedValue{typ: "MODULE", set: f.module}, "module", "look up bare function names in this kernel `MODULE`, or in vmlinux (-m works too)")
}

func (f *eventFlags) event(text string) error {
	f.list = append(f.list, eventFlag{text: text, context: f.context})
	return nil
}

func (f *eventFlags) file(name string) error {
	if name == "" {
		return errors.New("must not be empty")
	}
	f.files = append(f.files, name)
	return nil
}

func (f *eventFlags) filter(text string) error {
	if len(f.list) == 0 {
		return errors.New("must follow the -e it applies to")
	}
	last := &f.list[len(f.list)-1]
	last.filters = append(last.filters, text)
	return nil
}

func (f *eventFlags) binary(name string) error { return f.in(event.Context{Binary: name}) }
func (f *eventFlags) module(name string) error { return f.in(event.Context{Module: name}) }
func (f *eventFlags) in(c event.Context) error {
	if c == (event.Context{}) {
		return errors.New("must not be empty")
	}
	if f.first == (event.Context{}) {
		f.first = c
	}
	f.context = c
	return nil
}

// parse parses the events and adds the filters to their predicates. Without -e and -f it
// parses the fallback.
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
		return nil, usage(fmt.Errorf("-m %q: neither a size such as 8M nor the kernel module of an event", f.named))
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

// An orderedValue is a flag whose position among other flags matters.
type orderedValue struct {
	typ string
	set func(string) error
}

func (v *orderedValue) Type() string       { return v.typ }
func (v *orderedValue) String() string     { return "" }
func (v *orderedValue) Set(s string) error { return v.set(s) }

// A bufferValue is the value of -m: a size as in perf record, or a kernel module as in
// perf probe.
type bufferValue struct {
	bytes  *uint64
	events *eventFlags
	text   string // of the size
}

func (v *bufferValue) Type() string   { return "size" }
func (v *bufferValue) String() string { return v.text }

func (v *bufferValue) Set(s string) error {
	n, err := cli.ParseSize(s, pageSize)
	if err == nil && n == 0 {
		return errors.New("must be a size above 0, such as 8M")
	}
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

// pageSize is the unit of a plain number after -m, as in perf.
const pageSize = 4096
