//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"trapline/internal/cost"
)

// printCosts prints the table of costs, and on request also as one line of JSON.
func printCosts(out io.Writer, t *cost.Table, asJSON bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "ns per hit\t")
	for _, way := range cost.Ways() {
		fmt.Fprintf(w, "%s\t", way)
	}
	fmt.Fprintln(w)
	for _, r := range t.Rows {
		fmt.Fprintf(w, "%s\t", r.Kind)
		for _, way := range cost.Ways() {
			fmt.Fprintf(w, "%s\t", r.Cell(way))
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil || !asJSON {
		return err
	}
	line, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", line)
	return err
}

// parseCosts returns the table that printCosts printed as JSON. It skips all other lines,
// because the output may come from the console of a virtual machine.
func parseCosts(output string) (t cost.Table, err error) {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &t) == nil && len(t.Rows) > 0 {
			return t, nil
		}
	}
	return t, fmt.Errorf("no table of costs found: bench -only kinds -json prints it")
}

// replaceFrom replaces the named table by the one in the output of bench -json.
func replaceFrom(root, name, path string) error {
	output, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	t, err := parseCosts(string(output))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	t.Name = name
	return cost.Replace(root, t)
}
