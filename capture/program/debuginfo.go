package program

import (
	"trapline/capture/event"
	"trapline/capture/unwind"
	"trapline/internal/symbol"
)

// Lines lets ask use the file's source lines and inlined calls. If the file has no debug
// information, the error is an [event.UnsupportedError].
func (f *File) Lines(ask func(*symbol.ELF) error) error {
	e, err := f.index()
	if err != nil {
		return err
	}
	if e.HasDebugInfo() {
		return ask(e)
	}
	remedy := "build it with -g, or install its debug symbols (packages -dbgsym or -debuginfo)"
	if f.IsGo {
		remedy = "build it without -ldflags=-s or -w"
	}
	return &event.UnsupportedError{Feature: "lines of source", Reason: f.Path.Resolved + " has no debug information, and no debug file is installed", Remedy: remedy}
}

// InlinedCalls returns the places where calls of a function were inlined.
func (f *File) InlinedCalls(name string) (places []symbol.Place, err error) {
	err = f.Lines(func(e *symbol.ELF) error {
		places, err = e.InlinedCalls(func(inlined string) bool {
			return inlined == name || Mangled(inlined) && (sameSpelling(symbol.Demangle(inlined), name) || sameSpelling(symbol.DemangleName(inlined), name))
		})
		return err
	})
	return places, err
}

// UnwindRule returns the rule that unwinds a frame at a file offset.
func (f *File) UnwindRule(offset uint64) unwind.Rule {
	image, err := f.unwinding()
	if err != nil {
		return unwind.Rule{}
	}
	return image.Rule(offset)
}
