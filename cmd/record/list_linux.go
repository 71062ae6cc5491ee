package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
	"trapline/format"
)

// list prints the events that match a pattern: with -v, what is known of each.
func list(env cli.Env, c *config, h *host) int {
	patterns := []string{"*"}
	if len(c.command) > 0 {
		patterns[0] = c.command[0]
	}
	if binary := c.events.context.Binary; binary != "" {
		patterns = []string{"usdt:" + binary + ":" + patterns[0], "uprobe:" + binary + ":" + patterns[0]}
	} else if module := c.events.context.Module; module != "" {
		patterns[0] = module + ":" + patterns[0]
	}
	p := listPrinter{w: bufio.NewWriter(env.Stdout), verbose: c.verbose > 0, resolver: h.resolver}
	for _, pattern := range patterns {
		if err := h.resolver.List(pattern, p.verbose, p.print); err != nil {
			p.w.Flush()
			return env.Fail(exitCode(err), err)
		}
	}
	if err := p.w.Flush(); err != nil {
		return env.Fail(cli.ExitOutput, err)
	}
	if !p.found {
		return env.Fail(cli.ExitProbe, fmt.Errorf("-l %s: no event matches", strings.Join(patterns, " ")))
	}
	return cli.ExitOK
}

type listPrinter struct {
	w        *bufio.Writer
	verbose  bool
	resolver *probe.Resolver
	found    bool
	kind     format.ProbeKind // of the last one
}

// print writes an event, and before the first of a kind what to know of that. It
// returns false when nobody reads on.
func (p *listPrinter) print(l probe.Listing) bool {
	if p.verbose && l.Kind != p.kind {
		fmt.Fprintf(p.w, "# %s: %s\n", l.Kind, probe.KindOf(l.Kind))
	}
	p.found, p.kind = true, l.Kind
	_, err := fmt.Fprintln(p.w, l.Name)
	if !p.verbose {
		return err == nil
	}
	printFields(p.w, "    ", l.Fields)
	alternatives(p.w, p.resolver.StaticTracepoints(l.Kind, l.Function))
	return err == nil
}

// alternatives says which static tracepoints hit where a function does.
func alternatives(w io.Writer, tracepoints []string) {
	for _, name := range tracepoints {
		fmt.Fprintf(w, "    # the tracepoint %s hits here too, and is stable\n", name)
	}
}

// hintTracepoints says which events could be static tracepoints.
func hintTracepoints(env cli.Env, h *host, events []resolved) {
	for _, e := range events {
		if len(e.probes) != 1 {
			continue
		}
		p := &e.probes[0]
		if names := h.resolver.StaticTracepoints(p.Kind, p.Function); len(names) > 0 {
			env.Hintf("the tracepoint %s hits in %s too, and is stable", names[0], p.Function)
		}
	}
}

// printFields prints the arguments that are columns of their own.
func printFields(w io.Writer, indent string, fields []probe.Field) {
	for _, f := range fields {
		if f.Type != format.FieldUnread && f.Type != format.FieldCut {
			fmt.Fprintf(w, "%s%s\n", indent, describeField(f))
		}
	}
}

// describeField writes a field as name:type, in the types of the event grammar.
func describeField(f probe.Field) string {
	var t string
	switch f.Type {
	case format.FieldUint:
		t = fmt.Sprintf("u%d", 8*f.Size)
	case format.FieldInt:
		t = fmt.Sprintf("s%d", 8*f.Size)
	case format.FieldHex, format.FieldPointer:
		t = fmt.Sprintf("x%d", 8*f.Size)
	case format.FieldBool:
		t = "bool"
	case format.FieldChar:
		t = "char"
	case format.FieldString:
		t = "string"
	case format.FieldBytes:
		t = "bytes"
		if !f.Dynamic {
			t = fmt.Sprintf("bytes:%d", f.Size)
		}
	case format.FieldSymbol:
		t = "symbol"
	}
	if f.Count > 1 {
		t += fmt.Sprintf("[%d]", f.Count)
	}
	return strings.TrimSpace(f.Name + ":" + t)
}
