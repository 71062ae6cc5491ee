package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"trapline/cmd/internal/cli"
)

func TestChild(t *testing.T) {
	for _, c := range []struct {
		argv []string
		code int
	}{
		{[]string{"sh", "-c", "exit 7"}, 7},
		{[]string{"sh", "-c", "kill -9 $$"}, 128 + 9},
	} {
		child, err := startChild(c.argv, true)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		if err := child.run(cancel); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		if code := child.end(); code != c.code {
			t.Errorf("%v: code %d, want %d", c.argv, code, c.code)
		}
	}

	// A signal from record is not the exit code of the command.
	child, err := startChild([]string{"sleep", "1000"}, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := child.run(func() {}); err != nil {
		t.Fatal(err)
	}
	if code := child.end(); code != cli.ExitOK {
		t.Errorf("a command that was ended: code %d", code)
	}

	// A command that never ran is killed.
	if child, err = startChild([]string{"false"}, true); err != nil {
		t.Fatal(err)
	}
	if code := child.end(); code != cli.ExitOK {
		t.Errorf("a command that did not run: code %d", code)
	}
	if _, err := startChild([]string{"/no/such/program"}, true); exitCode(err) != cli.ExitUsage {
		t.Errorf("no such program: %v, code %d", err, exitCode(err))
	}
}

func TestReadyFD(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fd, err := unix.Dup(int(w.Fd())) // notifyReady closes it
	if err != nil {
		t.Fatal(err)
	}
	flags := runFlags{readyFD: fd}
	f, err := flags.openReady()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	notifyReady(cli.Env{Name: "record", Stderr: &errs}, f)
	line := make([]byte, 16)
	n, err := r.Read(line)
	if err != nil || string(line[:n]) != "ready\n" || errs.Len() > 0 {
		t.Errorf("read %q, %v, %s", line[:n], err, &errs)
	}
	notifyReady(cli.Env{Name: "record", Stderr: &errs}, nil)
	r.Close()
}

func TestReadyFDKeepsStandardStreams(t *testing.T) {
	flags := runFlags{readyFD: 2}
	f, err := flags.openReady()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Fd() <= 2 {
		t.Errorf("openReady returned descriptor %d itself, which is closed with the file", f.Fd())
	}
}
