// Command report prints what captures hold: histograms and call graphs, or the
// hits one by one.
package main

import "trapline/cmd/internal/cli"

func main() { cli.Main("report", run) }
