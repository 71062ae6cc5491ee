package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
)

var update = flag.Bool("update", false, "write golden files anew")

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// withoutKinds replaces the descriptions of the kinds of probes. They have their
// own tests, and change with every measurement of costs.
func withoutKinds(text string) string {
	for _, k := range probe.Kinds() {
		text = strings.ReplaceAll(text, k.String(), "{description of "+k.Name()+"}")
	}
	return text
}

func TestHelp(t *testing.T) {
	code, stdout, stderr := runCommand(t, "--help")
	if code != cli.ExitOK || stderr != "" {
		t.Errorf("code %d, %q", code, stderr)
	}
	compareGolden(t, "help.golden", stdout)
	for _, line := range strings.Split(stdout, "\n") {
		if len(line) > 100 {
			t.Errorf("line of %d characters: %s", len(line), line)
		}
	}
}
