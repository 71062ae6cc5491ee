package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"trapline/capture/event"
	"trapline/cmd/internal/cli"
)

func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{
		{usage(io.EOF), cli.ExitUsage},
		{&event.SyntaxError{}, cli.ExitUsage},
		{outputFailed(os.ErrPermission), cli.ExitOutput},
		{&event.PermissionError{}, cli.ExitPermission},
		{&os.PathError{Op: "open", Path: "x", Err: os.ErrPermission}, cli.ExitPermission},
		{&event.NotFoundError{}, cli.ExitProbe},
		{&event.InvalidError{}, cli.ExitProbe},
		{&event.UnsupportedError{}, cli.ExitProbe},
		{io.EOF, cli.ExitProbe},
	} {
		for _, err := range []error{c.err, fmt.Errorf("file:3: %w", c.err), errors.Join(io.EOF, c.err)} {
			if code := exitCode(err); code != c.code {
				t.Errorf("%T %v: code %d, want %d", c.err, err, code, c.code)
			}
		}
	}
}

// These fail in the same way with and without privileges.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"--version"}, cli.ExitOK},
		{[]string{"--dry-run", "-e", "uprobe:"}, cli.ExitUsage},
		{[]string{"--dry-run", "-m", "nf_tables", "-e", "sched:sched_switch"}, cli.ExitUsage},
		{[]string{"--dry-run", "-f", "testdata/nosuch.yaml"}, cli.ExitProbe},
		{[]string{"--dry-run", "-f", "testdata/wrong.yaml"}, cli.ExitUsage},
		{[]string{"--dry-run", "-e", "uprobe:/no/such/file:main"}, cli.ExitProbe},
		{[]string{"--dry-run", "-e", "cpu-clock", "--min-latency", "1ms"}, cli.ExitProbe},
		{[]string{"-l", "-x", "/no/such/file", "main"}, cli.ExitProbe},
	} {
		code, _, stderr := runCommand(t, c.args...)
		if code != c.code || (code != 0) != (stderr != "") {
			t.Errorf("record %q: code %d, want %d\n%s", c.args, code, c.code, stderr)
		}
	}
}
