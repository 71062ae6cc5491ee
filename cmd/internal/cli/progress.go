package cli

import (
	"io"
	"unicode/utf8"
)

// A Progress is one line on the terminal that is written over until it is
// cleared. It is silent when standard error is no terminal. Not safe for
// concurrent use.
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

// Enabled reports whether Update shows anything, so that callers need not compose
// lines for nobody.
func (p *Progress) Enabled() bool { return p.w != nil }

// Update replaces the line. Text wider than the terminal is cut, since a wrapped
// line cannot be written over.
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

// Clear removes the line; call it before printing a message.
func (p *Progress) Clear() {
	if p.shown {
		io.WriteString(p.w, "\r\x1b[K")
		p.shown = false
	}
}
