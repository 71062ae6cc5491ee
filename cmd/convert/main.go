// Command convert writes captures in the formats of other tools.
package main

import "trapline/cmd/internal/cli"

func main() {
	cli.Main("convert", run)
}
