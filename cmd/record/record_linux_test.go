package main

import (
	"os"
	"strings"
	"testing"

	"trapline/cmd/internal/cli"
	"trapline/internal/testenv"
)

// If the header of the capture cannot be written, the command never runs. record must not
// wait for it.
func TestOutputFailsBeforeCommandRuns(t *testing.T) {
	testenv.Root(t)
	code, _, stderr := runCommand(t, "-e", "cpu-clock", "-o", "/dev/full", "--", "sleep", "1000")
	if code != cli.ExitOutput || !strings.Contains(stderr, "no space left on device") {
		t.Errorf("code %d, %s", code, stderr)
	}
}

func TestMissingTasks(t *testing.T) {
	testenv.Root(t)
	if _, err := os.Stat("/proc/4194303"); err == nil {
		t.Fatal("the highest process ID is in use")
	}
	for _, flag := range []string{"-p", "-t"} {
		code, _, stderr := runCommand(t, "-e", "cpu-clock", flag, "4194303", "-o", os.DevNull)
		if code != cli.ExitProbe || !strings.Contains(stderr, flag+" 4194303: no such") {
			t.Errorf("record %s: code %d, %s", flag, code, stderr)
		}
	}
}
