// Package cli contains what the three commands share: environment, flags and help,
// messages, exit codes, and the notations for sizes, CPUs and durations.
//
// Standard output is only for the answer: a report or a converted file. Everything
// else goes to standard error, one line per message, prefixed with the name of the
// command, without capital letters and full stops.
package cli

import (
	"context"
	"io"
	"os"

	"golang.org/x/term"
)

// An Env is the environment of a command, so that tests can run commands as
// functions.
type Env struct {
	Name           string   // of the command: record, report or convert
	Args           []string // without the name of the command
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	StdinTerminal  bool
	Terminal       bool // standard output is a terminal
	StderrTerminal bool
	Columns        int // width of the terminal; 0 without one
}

// Main runs a command in the environment of the process and exits with its status.
// Signals keep their default action unless the command handles them.
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
