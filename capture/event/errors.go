package event

import (
	"errors"
	"fmt"
	"strings"
)

// A SyntaxError says where and why an event cannot be read.
type SyntaxError struct {
	Text   string // what was parsed
	Pos    int    // byte offset of the problem in Text
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("event %q, character %d: %s", e.Text, e.Pos+1, e.Reason)
}

// A NotFoundError says that nothing is there to be probed as asked.
type NotFoundError struct {
	Event   string   // as asked for
	Reason  string   // what is missing where: "no such function in /lib/libc.so.6"
	Nearest []string // similar names that exist, best first
}

func (e *NotFoundError) Error() string {
	s := e.Event + ": " + e.Reason
	if len(e.Nearest) > 0 {
		s += " (nearest: " + strings.Join(e.Nearest, ", ") + ")"
	}
	return s
}

// An InvalidError says that what was asked for exists, but not in this way: an
// offset beyond the function, a type that the argument cannot have.
type InvalidError struct {
	Event  string
	Reason string
}

func (e *InvalidError) Error() string { return e.Event + ": " + e.Reason }

// About puts the text of an event into an error that was made without: one of the types
// [NotFoundError], [InvalidError] and [UnsupportedError].
func About(text string, err error) error {
	var (
		notFound    *NotFoundError
		invalid     *InvalidError
		unsupported *UnsupportedError
	)
	switch {
	case errors.As(err, &notFound) && notFound.Event == "":
		notFound.Event = text
	case errors.As(err, &invalid) && invalid.Event == "":
		invalid.Event = text
	case errors.As(err, &unsupported) && unsupported.Event == "":
		unsupported.Event = text
	}
	return err
}

// An UnsupportedError says what this machine, or the probed program, does not allow.
type UnsupportedError struct {
	Event   string // as asked for; "" when listing
	Feature string // what is not there at all: "kprobes"; "" when it is this one probe that cannot be
	Reason  string
	Remedy  string // what works instead; "" nothing
}

func (e *UnsupportedError) Error() string {
	s := e.Reason
	if e.Feature != "" {
		s = e.Feature + " not available: " + s
	}
	if e.Event != "" {
		s = e.Event + ": " + s
	}
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

// A PermissionError says what may not be done.
type PermissionError struct {
	What   string // "reading /sys/kernel/tracing/events"
	Need   string // "root"; "" where Reason says it
	Reason string // what forbids it; "" where Need says it
	Remedy string // what helps; "" nothing is known to
}

func (e *PermissionError) Error() string {
	s := e.What + ": permission denied"
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	if e.Need != "" {
		s += "; needs " + e.Need
	}
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

// Counted writes a number of things: "1 place", "2 places".
func Counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
