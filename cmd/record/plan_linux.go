package main

import (
	"bufio"
	"fmt"
	"io"

	"trapline/capture"
	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
)

// A resolved event is one with the probes that it stands for on this machine.
type resolved struct {
	event  probe.Event
	probes []probe.Probe
}

// dryRun prints what the events mean, what would be attached, and what to know of it.
func dryRun(env cli.Env, c *config, h *host, events []resolved) int {
	w := bufio.NewWriter(env.Stdout)
	probes, sites := 0, 0
	for _, e := range events {
		fmt.Fprintln(w, e.event)
		backends := capture.Backends(e.probes)
		for i := range e.probes {
			p := &e.probes[i]
			places := p.Places()
			fmt.Fprintf(w, "    %s: %s, %s", p.Name, count(len(places), "site"), backends[i])
			if p.AtReturns {
				fmt.Fprint(w, " on each return instruction")
			}
			fmt.Fprintln(w)
			printPlaces(w, p, places)
			for _, note := range p.Notes {
				fmt.Fprintf(w, "        # %s\n", note)
			}
			for _, f := range p.Fields {
				if !f.Type.Mark() {
					fmt.Fprintf(w, "        %s\n", describeField(f))
				}
			}
			if p.Filter != nil {
				fmt.Fprintf(w, "        only if %s\n", p.Filter)
			}
			alternatives(w, h.resolver.StaticTracepoints(p.Kind, p.Function))
			sites += len(places)
		}
		if len(e.probes) > 0 {
			fmt.Fprintf(w, "    # %s\n", probe.HookOf(e.probes[0].Kind))
		}
		probes += len(e.probes)
	}
	fmt.Fprintf(w, "%s, %s, %s, target: %s\n", count(len(events), "event"), count(probes, "probe"), count(sites, "site"), c.target())
	if err := w.Flush(); err != nil {
		return env.Fail(cli.ExitOutput, err)
	}
	return cli.ExitOK
}

// maxPlaces is how many places of one probe are printed.
const maxPlaces = 16

// printPlaces prints where a probe of a program is.
func printPlaces(w io.Writer, p *probe.Probe, places []probe.Site) {
	if p.Path == "" {
		return
	}
	for i, s := range places {
		if i == maxPlaces {
			fmt.Fprintf(w, "        and %s more\n", count(len(places)-i, "site"))
			return
		}
		fmt.Fprintf(w, "        at %s+%#x\n", p.Path, s.Offset)
	}
}
