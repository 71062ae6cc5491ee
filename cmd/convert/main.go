// Command convert writes captures in the formats that other tools read.
package main

import "trapline/cmd/internal/cli"

func main() {
	cli.Main("convert", run)
}
