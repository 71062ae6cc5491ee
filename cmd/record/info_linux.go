package main

import (
	"bufio"
	"fmt"
	"io"

	machine "trapline/capture/host"
	"trapline/cmd/internal/cli"
)

// info prints what this kernel and this user can record.
func info(env cli.Env) int {
	tracefs, _, err := machine.TraceFS()
	if err != nil {
		tracefs = ""
	}
	symbols, err := machine.ReadKallsyms()
	if err != nil {
		symbols = nil
	}
	w := bufio.NewWriter(env.Stdout)
	r := machine.Inspect(tracefs, symbols)
	for _, f := range r.Facts {
		fmt.Fprintf(w, "%-20s %s\n", f.Name, f.Value)
	}
	fmt.Fprintln(w, "\nprobes")
	abilities(w, r.Probes)
	fmt.Fprintln(w, "\nused where they are there")
	abilities(w, r.Kernel)
	if err := w.Flush(); err != nil {
		return env.Fail(cli.ExitOutput, err)
	}
	return cli.ExitOK
}

func abilities(w io.Writer, list []machine.Ability) {
	for _, a := range list {
		answer := "yes"
		if !a.OK {
			answer = "no: " + a.Reason
			if a.Remedy != "" {
				answer += "; " + a.Remedy
			}
		}
		fmt.Fprintf(w, "  %-22s %s\n", a.Name, answer)
	}
}
