package attach

import (
	"fmt"

	"trapline/capture/event"
)

// Limits for programs and links of one event that are loaded or attached one by one.
// Loading a program takes about 10 ms; closing a function's link waits for all CPUs.
const (
	manyPrograms = 64
	manyLinks    = 256
)

// tooManyPrograms rejects an event that needs too many programs.
func tooManyPrograms(text string, programs int) error {
	if programs <= manyPrograms {
		return nil
	}
	return &event.UnsupportedError{Event: text, Reason: fmt.Sprintf("more than %d functions match, and fentry and fexit need a program for each", manyPrograms),
		Remedy: "use a kprobe, narrow the pattern, or use --allow-slow"}
}

// tooManyLinks rejects an event with too many functions to attach one by one.
func tooManyLinks(text string, sites int) error {
	if sites <= manyLinks {
		return nil
	}
	return &event.UnsupportedError{Event: text, Reason: fmt.Sprintf("this kernel attaches to functions one by one, and %d match", sites),
		Remedy: "narrow the pattern, or use --allow-slow"}
}
