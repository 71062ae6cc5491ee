package main

import (
	"bufio"

	"trapline/analysis/render"
	"trapline/cmd/internal/cli"
)

var headerView = view{
	name: "header-only", help: "print only the headers of the captures",
	new: func(*cli.Flags) question { return header{} },
}

type header struct{}

func (header) resolve(*report) error { return nil }

func (header) text(r *report, w *bufio.Writer) error {
	result, err := r.survey(true)
	if err != nil {
		return err
	}
	return render.Header(w, result, true)
}

func (header) json(r *report, w *bufio.Writer) error {
	result, err := r.survey(true)
	if err != nil {
		return err
	}
	return render.HeaderJSON(w, result)
}
