package cli

import (
	"fmt"
	"io"
	"strings"
)

// Errorf prints an error: what was asked, what is wrong, what to do.
func (e Env) Errorf(format string, args ...any) { e.message("", format, args) }

// Warningf prints a warning about something that did not stop the command.
func (e Env) Warningf(format string, args ...any) { e.message("warning: ", format, args) }

// Hintf prints what the user can do next.
func (e Env) Hintf(format string, args ...any) { e.message("hint: ", format, args) }

// Infof prints an informational message, such as where the output went.
func (e Env) Infof(format string, args ...any) { e.message("", format, args) }

// Usage prints an error in the command line and a pointer to the help. It returns
// the exit code.
func (e Env) Usage(err error) int {
	e.Errorf("%v", err)
	e.Hintf("see %s --help", e.Name)
	return ExitUsage
}

// Fail prints an error and returns code, for use in return statements.
func (e Env) Fail(code int, err error) int {
	e.Errorf("%v", err)
	return code
}

// message writes with one call, so that lines of several goroutines do not mix.
// Each line of a multi-line text (joined errors) gets the prefix.
func (e Env) message(kind, format string, args []any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	prefix := e.Name + ": " + kind
	io.WriteString(e.Stderr, prefix+strings.ReplaceAll(text, "\n", "\n"+prefix)+"\n")
}
