package main

import "trapline/cmd/internal/cli"

// maxNotes is how many notes are printed before a recording; --dry-run prints all.
const maxNotes = 5

// warnNotes says what is unexpected of the probes.
func warnNotes(env cli.Env, events []resolved) {
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
		env.Infof("and %d more notes: see --dry-run", n-maxNotes)
	}
}
