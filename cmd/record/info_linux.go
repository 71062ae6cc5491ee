package main

import (
	"bufio"
	"fmt"
	"io"

	"trapline/capture/attach"
	"trapline/capture/host"
)

// printInfo prints what this kernel and user can record.
func printInfo(out io.Writer) error {
	tracefs, _, err := host.TraceFS()
	if err != nil {
		tracefs = ""
	}
	symbols, err := host.ReadKallsyms()
	if err != nil {
		symbols = nil
	}
	r := host.Inspect(tracefs, symbols)
	r.Probes = attach.Abilities()
	return printReport(out, r)
}

func printReport(out io.Writer, r *host.Report) error {
	w := bufio.NewWriter(out)
	for _, f := range r.Facts {
		fmt.Fprintf(w, "%-20s %s\n", f.Name, f.Value)
	}
	fmt.Fprintln(w, "\nprobes")
	printAbilities(w, r.Probes)
	fmt.Fprintln(w, "\nused if available")
	printAbilities(w, r.Kernel)
	if err := w.Flush(); err != nil {
		return outputFailed(err)
	}
	return nil
}

func printAbilities(w io.Writer, list []host.Ability) {
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
