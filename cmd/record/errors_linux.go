package main

import (
	"errors"
	"os"

	"trapline/capture/event"
	"trapline/cmd/internal/cli"
	"trapline/internal/expr"
)

// A failure is an error that determines the exit code by where it happened rather
// than by what it is.
type failure struct {
	code int
	error
}

func (f *failure) Unwrap() error { return f.error }

// usage marks an error as a mistake in how the command was called.
func usage(err error) error { return &failure{cli.ExitUsage, err} }

// outputFailed marks an error as a failure to write the output.
func outputFailed(err error) error { return &failure{cli.ExitOutput, err} }

// exitCode maps an error to the command's exit codes.
func exitCode(err error) int {
	var (
		failed     *failure
		syntax     *event.SyntaxError
		permission *event.PermissionError
		expression *expr.Error
	)
	switch {
	case errors.As(err, &failed):
		return failed.code
	case errors.As(err, &syntax), errors.As(err, &expression):
		return cli.ExitUsage
	case errors.As(err, &permission), errors.Is(err, os.ErrPermission):
		return cli.ExitPermission
	}
	return cli.ExitProbe
}
