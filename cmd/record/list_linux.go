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

// listPatterns returns the patterns that -l lists: the operand, qualified by the binary of
// -x or the module of -m.
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

// printList prints the events that match the patterns, with arguments if verbose.
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
	kind     format.ProbeKind // of the last event printed
}

// print prints one event. If verbose, a description of its kind precedes the first event
// of each kind. print returns false once writing fails.
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

// printAlternatives prints the static tracepoints that hit in the same function.
func printAlternatives(w io.Writer, tracepoints []string) {
	for _, name := range tracepoints {
		fmt.Fprintf(w, "    # the tracepoint %s also hits here and is stable\n", name)
	}
}
