package main

import (
	"bufio"

	"trapline/cmd/internal/cli"
)

// A view is one kind of report: a row of the table of views.
type view struct {
	name string // of its flag, such as stats; "" for the default view
	help string // of that flag
	// instead names an alternative if the view has no JSON form.
	instead string
	// new defines the flags of the view and returns its question.
	new func(f *cli.Flags) question
}

// A question is what a view asks captures, with the values of its flags. Its
// methods ask it and print the answer. They call report.known as soon as all
// captures are read.
type question interface {
	// resolve interprets the flags of the view after parsing.
	resolve(r *report) error
	text(r *report, w *bufio.Writer) error
}

// A jsonForm is a question that can also be answered in JSON.
type jsonForm interface {
	json(r *report, w *bufio.Writer) error
}

// A usageError is a mistake in the command line that shows only when the captures
// are read.
type usageError string

func (e usageError) Error() string { return string(e) }
