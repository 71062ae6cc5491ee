package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
)

// An eventFlag is one -e with what was said about it.
type eventFlag struct {
	text    string
	filters []string      // --filter behind it
	context probe.Context // -x and -m before it
}

// eventFlags are the -e of a command line in their order, which says what --filter, -x
// and -m are about.
type eventFlags struct {
	list    []eventFlag
	files   []string      // of -f
	first   probe.Context // the first -x and -m, for events before any
	context probe.Context // the last ones

	named string // what -m named and is no size

	maxProbes int
}

func (f *eventFlags) add(g *pflag.FlagSet) {
	g.VarP(&orderedValue{typ: "EVENT", set: f.event}, "event", "e", "record this `EVENT` (repeatable)")
	g.StringArrayVarP(&f.files, "probes", "f", nil, "record the events of a probe `FILE` (repeatable)")
	g.Var(&orderedValue{typ: "EXPR", set: f.filter}, "filter", "keep the hits of the -e before for which `EXPR` holds; several are joined by &&")
	g.VarP(&orderedValue{typ: "BINARY", set: f.binary}, "exec", "x", "take events that name a function alone from this `BINARY`")
	g.Var(&orderedValue{typ: "MODULE", set: f.module}, "module", "take them from this kernel `MODULE`, or vmlinux (-m too)")
	g.IntVar(&f.maxProbes, "max-probes", probe.DefaultMaxProbes, "refuse patterns that match more than `N` probes")
}

func (f *eventFlags) event(text string) error {
	f.list = append(f.list, eventFlag{text: text, context: f.context})
	return nil
}

func (f *eventFlags) filter(text string) error {
	if len(f.list) == 0 {
		return errors.New("it stands behind the -e that it is for")
	}
	last := &f.list[len(f.list)-1]
	last.filters = append(last.filters, text)
	return nil
}

func (f *eventFlags) binary(name string) error { return f.in(probe.Context{Binary: name}) }
func (f *eventFlags) module(name string) error { return f.in(probe.Context{Module: name}) }
func (f *eventFlags) in(c probe.Context) error {
	if c == (probe.Context{}) {
		return errors.New("it is empty")
	}
	if f.first == (probe.Context{}) {
		f.first = c
	}
	f.context = c
	return nil
}

// parse reads the events, with the filters as part of their predicates.
func (f *eventFlags) parse() ([]probe.Event, error) {
	events, err := f.readFiles()
	if err != nil {
		return nil, err
	}
	for _, e := range f.list {
		context := e.context
		if context == (probe.Context{}) {
			context = f.first
		}
		parsed, err := context.Parse(e.text)
		if err != nil {
			return nil, err
		}
		for i := range parsed {
			for _, filter := range e.filters {
				parsed[i].Require(filter)
			}
		}
		events = append(events, parsed...)
	}
	inModule := func(e probe.Event) bool { return e.Module == f.named }
	if f.named != "" && len(events) > 0 && !slices.ContainsFunc(events, inModule) {
		return nil, &usageError{fmt.Errorf("-m %q: neither a size, as in 8M, nor the kernel module of an event", f.named)}
	}
	return events, nil
}

// readFiles reads the probe files.
func (f *eventFlags) readFiles() ([]probe.Event, error) {
	var events []probe.Event
	for _, name := range f.files {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(file, probe.MaxProbeFile+1))
		file.Close()
		if err != nil {
			return nil, err
		}
		parsed, err := probe.ParseFile(name, text)
		if err != nil {
			return nil, &usageError{err}
		}
		events = append(events, parsed...)
	}
	return events, nil
}

// A usageError is a mistake in how the program was called, or in a probe file.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

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
}

func (v *bufferValue) Type() string   { return "size" }
func (v *bufferValue) String() string { return "" }

func (v *bufferValue) Set(s string) error {
	n, err := cli.ParseSize(s, pageSize)
	if err == nil {
		*v.bytes = n
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
