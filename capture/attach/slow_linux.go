package attach

import (
	"fmt"

	"trapline/capture/event"
)

// How many programs and links one event may take that are loaded or attached one by
// one. A program takes the verifier some 10 ms; a link of a function waits for all CPUs when
// it is closed.
const (
	manyPrograms = 64
	manyLinks    = 256
)

// tooManyPrograms refuses an event for which too many programs would be loaded.
func tooManyPrograms(text string, programs int) error {
	if programs <= manyPrograms {
		return nil
	}
	return &event.UnsupportedError{Event: text, Reason: fmt.Sprintf("more than %d functions match, and fentry and fexit take a program for each", manyPrograms),
		Remedy: "use a kprobe, narrow the pattern, or say --allow-slow"}
}

// tooManyLinks refuses an event for which too many functions would be attached one by one.
func tooManyLinks(text string, sites int) error {
	if sites <= manyLinks {
		return nil
	}
	return &event.UnsupportedError{Event: text, Reason: fmt.Sprintf("this kernel attaches to functions one by one, and %d match", sites),
		Remedy: "narrow the pattern, or say --allow-slow"}
}
