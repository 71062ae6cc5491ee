package event

import (
	"errors"
	"fmt"
	"strings"
)

// A SyntaxError reports an event that cannot be parsed.
type SyntaxError struct {
	Text   string // the text that was parsed
	Pos    int    // byte offset of the problem in Text
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("event %q, character %d: %s", e.Text, e.Pos+1, e.Reason)
}

// A NotFoundError reports that there is nothing to probe under the given name.
type NotFoundError struct {
	Event   string   // the event as given
	Reason  string   // what is missing and where: "no such function in /lib/libc.so.6"
	Nearest []string // similar names that exist, best first
}

func (e *NotFoundError) Error() string {
	s := e.Event + ": " + e.Reason
	if len(e.Nearest) > 0 {
		s += " (nearest: " + strings.Join(e.Nearest, ", ") + ")"
	}
	return s
}

// An InvalidError reports that the target exists but cannot be probed as asked: the
// offset is outside the function, or the argument cannot have this type.
type InvalidError struct {
	Event  string
	Reason string
}

func (e *InvalidError) Error() string { return e.Event + ": " + e.Reason }

// About sets the event of an error that was made without one, if it is a [NotFoundError],
// [InvalidError] or [UnsupportedError].
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

// An UnsupportedError reports what this machine or the probed program does not support.
type UnsupportedError struct {
	Event   string // the event as given; "" when listing
	Feature string // what is missing altogether: "kprobes"; "" if only this probe is unsupported
	Reason  string
	Remedy  string // what works instead; "" if nothing does
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

// A PermissionError reports a missing permission.
type PermissionError struct {
	What   string // "reading /sys/kernel/tracing/events"
	Need   string // "root"; "" if Reason says it
	Reason string // what denies it; "" if Need says it
	Remedy string // what helps; "" if nothing is known to
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

// Counted formats a number of things: "1 place", "2 places".
func Counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
