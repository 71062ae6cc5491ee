package main

import (
	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
)

// hintTracepoints suggests static tracepoints that could replace probes on functions.
func hintTracepoints(env cli.Env, r *probe.Resolver, events []resolved) {
	for _, e := range events {
		if len(e.probes) != 1 {
			continue
		}
		p := &e.probes[0]
		if names := r.StaticTracepoints(p.Kind, p.Function); len(names) > 0 {
			env.Hintf("the tracepoint %s also hits in %s and is stable", names[0], p.Function)
		}
	}
}

// maxNotes limits the notes printed before recording. --dry-run prints all of them.
const maxNotes = 5

// printNotes prints what users may not expect of the probes.
func printNotes(env cli.Env, events []resolved) {
	n := 0
	for _, e := range events {
		for i := range e.probes {
			for _, note := range e.probes[i].Notes {
				if n++; n <= maxNotes {
					env.Infof("%s: %s", e.probes[i].Name, note)
				}
			}
		}
	}
	if n > maxNotes {
		env.Infof("%d more notes: see --dry-run", n-maxNotes)
	}
}
