package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"trapline/capture/event"
	"trapline/capture/probe"
	"trapline/format"
)

// listPatterns returns what -l lists: what the operand matches, in the binary or module
// that -x or -m named.
func listPatterns(operands []string, in event.Context) []string {
	pattern := "*"
	if len(operands) > 0 {
		pattern = operands[0]
	}
	switch {
	case in.Binary != "":
		return []string{"usdt:" + in.Binary + ":" + pattern, "uprobe:" + in.Binary + ":" + pattern}
	case in.Module != "":
		return []string{in.Module + ":" + pattern}
	}
	return []string{pattern}
}

// printList prints the events that match the patterns: with verbose, what is known of each.
func printList(out io.Writer, r *probe.Resolver, patterns []string, verbose bool) error {
	p := listPrinter{w: bufio.NewWriter(out), verbose: verbose, resolver: r}
	for _, pattern := range patterns {
		if err := r.List(pattern, verbose, p.print); err != nil {
			p.w.Flush()
			return err
		}
	}
	if err := p.w.Flush(); err != nil {
		return outputFailed(err)
	}
	if !p.found {
		return &event.NotFoundError{Event: "-l " + strings.Join(patterns, " "), Reason: "no event matches"}
	}
	return nil
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
	if p.verbose {
		printFields(p.w, "    ", l.Fields)
		printAlternatives(p.w, p.resolver.StaticTracepoints(l.Kind, l.Function))
	}
	return err == nil
}

// printAlternatives says which static tracepoints hit where a function does.
func printAlternatives(w io.Writer, tracepoints []string) {
	for _, name := range tracepoints {
		fmt.Fprintf(w, "    # the tracepoint %s hits here too, and is stable\n", name)
	}
}
