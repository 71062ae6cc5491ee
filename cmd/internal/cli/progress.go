package cli

import (
	"io"
	"unicode/utf8"
)

// A Progress is a line on the terminal that is overwritten until it is cleared. It
// is silent if standard error is not a terminal. It is not safe for concurrent use.
type Progress struct {
	w       io.Writer
	columns int
	shown   bool
}

// NewProgress returns the progress line of the command.
func (e Env) NewProgress() *Progress {
	if !e.StderrTerminal {
		return &Progress{}
	}
	return &Progress{w: e.Stderr, columns: e.Columns}
}

// Enabled reports whether Update shows anything, so that callers can skip composing
// the text.
func (p *Progress) Enabled() bool { return p.w != nil }

// Update replaces the line. It cuts text wider than the terminal, since a wrapped
// line cannot be overwritten.
func (p *Progress) Update(text string) {
	if p.w == nil {
		return
	}
	if p.columns > 1 && utf8.RuneCountInString(text) >= p.columns {
		text = string([]rune(text)[:p.columns-1])
	}
	io.WriteString(p.w, "\r"+text+"\x1b[K")
	p.shown = true
}

// Clear removes the line. Call it before printing a message.
func (p *Progress) Clear() {
	if p.shown {
		io.WriteString(p.w, "\r\x1b[K")
		p.shown = false
	}
}
