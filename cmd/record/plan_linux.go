package main

import (
	"bufio"
	"fmt"
	"io"

	"trapline/capture/attach"
	"trapline/capture/probe"
)

// printPlan prints the events in canonical spelling and the probes that would be attached.
func printPlan(out io.Writer, r *probe.Resolver, events []resolved, target string) error {
	w := bufio.NewWriter(out)
	probes, sites := 0, 0
	for _, e := range events {
		fmt.Fprintln(w, e.event)
		backends := attach.Backends(e.probes)
		for i := range e.probes {
			p := &e.probes[i]
			printProbe(w, p, backends[i])
			printAlternatives(w, r.StaticTracepoints(p.Kind, p.Function))
			sites += len(p.AllSites())
		}
		if len(e.probes) > 0 {
			fmt.Fprintf(w, "    # %s\n", probe.KindOf(e.probes[0].Kind))
		}
		probes += len(e.probes)
	}
	fmt.Fprintf(w, "%s, %s, %s, target: %s\n", count(len(events), "event"), count(probes, "probe"), count(sites, "site"), target)
	if err := w.Flush(); err != nil {
		return outputFailed(err)
	}
	return nil
}

// printProbe prints the sites, notes and arguments of a probe.
func printProbe(w io.Writer, p *probe.Probe, backend string) {
	fmt.Fprintf(w, "    %s: %s, %s", p.Name, count(len(p.AllSites()), "site"), backend)
	if p.AtReturns {
		fmt.Fprint(w, " on each return instruction")
	}
	fmt.Fprintln(w)
	if p.Path != "" {
		printSites(w, p.Path, p.AllSites())
	}
	for _, note := range p.Notes {
		fmt.Fprintf(w, "        # %s\n", note)
	}
	printFields(w, "        ", p.Fields)
	if p.Filter != nil {
		fmt.Fprintf(w, "        only if %s\n", p.Filter)
	}
}

// maxSites limits the sites printed per probe.
const maxSites = 16

func printSites(w io.Writer, path string, sites []probe.Site) {
	for i, s := range sites {
		if i == maxSites {
			fmt.Fprintf(w, "        and %s more\n", count(len(sites)-i, "site"))
			return
		}
		fmt.Fprintf(w, "        at %s+%#x\n", path, s.Offset)
	}
}
