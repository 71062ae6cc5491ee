// Package cli holds what the three commands share in how they meet their user:
// the environment they run in, flags and help, messages, exit codes and the small
// notations for sizes, CPUs and durations.
//
// Rules for output: standard output is for the answer alone (a report, a
// converted file); everything else goes to standard error, one line a message,
// prefixed with the command's name, without capitals and full stops.
package cli

import (
	"context"
	"io"
	"os"

	"golang.org/x/term"
)

// An Env is all that a command sees of the world outside its arguments' meaning,
// so that tests run commands as functions.
type Env struct {
	Name           string   // of the command, as messages are prefixed: record, report, convert
	Args           []string // without the command's own name
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	StdinTerminal  bool
	Terminal       bool // standard output is a terminal
	StderrTerminal bool
	Columns        int // width of the terminal that is there; 0: none
}

// Main runs a command in the process's own environment and exits with its status.
// Signals keep their default meaning unless the command handles them.
func Main(name string, run func(ctx context.Context, env Env) int) {
	env := Env{
		Name:           name,
		Args:           os.Args[1:],
		Stdin:          os.Stdin,
		Stdout:         os.Stdout,
		Stderr:         os.Stderr,
		StdinTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		Terminal:       term.IsTerminal(int(os.Stdout.Fd())),
		StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			env.Columns = w
			break
		}
	}
	os.Exit(run(context.Background(), env))
}
