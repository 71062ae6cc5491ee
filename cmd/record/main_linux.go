// Command record attaches probes and writes every hit, with stacks and arguments, to a
// capture file.
package main

import "trapline/cmd/internal/cli"

func main() {
	cli.Main("record", run)
}
