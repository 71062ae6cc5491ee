package main

import (
	"bufio"

	"trapline/cmd/internal/cli"
)

// A view is one kind of report: a row of the table of views.
type view struct {
	name string // of the flag that asks for it, --stats; "" is shown when no flag asks for another
	help string // of that flag
	// instead says what to use if the view has no JSON form.
	instead string
	// new defines the flags that the view alone has, and returns the question that
	// they shape.
	new func(f *cli.Flags) question
}

// A question is what a view asks of captures, with its flags. It is asked and answered
// in one form or the other; both call report.known as soon as all captures have been
// read.
type question interface {
	// resolve makes sense of the flags, once they have been parsed.
	resolve(r *report) error
	text(r *report, w *bufio.Writer) error
}

// A jsonForm is a question that can be answered in JSON.
type jsonForm interface {
	json(r *report, w *bufio.Writer) error
}

// A usageError is a mistake in the command line that only the captures bring to light.
type usageError string

func (e usageError) Error() string { return string(e) }
