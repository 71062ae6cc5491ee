package main

import (
	"bufio"

	"trapline/analysis/render"
	"trapline/cmd/internal/cli"
)

var statsView = view{
	name: "stats", help: "print the account of all hits, by probe and CPU",
	new: func(*cli.Flags) question { return stats{} },
}

type stats struct{}

func (stats) resolve(*report) error { return nil }

func (stats) text(r *report, w *bufio.Writer) error {
	result, err := r.survey(false)
	if err != nil {
		return err
	}
	return render.Accounts(w, &result.Quality)
}

func (stats) json(r *report, w *bufio.Writer) error {
	result, err := r.survey(true)
	if err != nil {
		return err
	}
	return render.HeaderJSON(w, result)
}
