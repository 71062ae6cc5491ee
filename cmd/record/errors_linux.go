package main

import (
	"errors"
	"os"

	"trapline/capture/event"
	"trapline/cmd/internal/cli"
	"trapline/internal/expr"
)

// A failure is an error whose exit code depends on where it happened, not on its type.
type failure struct {
	code int
	error
}

func (f *failure) Unwrap() error { return f.error }

// usage marks err as a mistake on the command line or in a probe file.
func usage(err error) error { return &failure{cli.ExitUsage, err} }

// outputFailed marks err as a failure to write the output.
func outputFailed(err error) error { return &failure{cli.ExitOutput, err} }

// exitCode returns the exit code for an error.
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
