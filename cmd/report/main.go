// Command report prints captures: as histograms with call graphs, or hit by hit.
package main

import "trapline/cmd/internal/cli"

func main() { cli.Main("report", run) }
