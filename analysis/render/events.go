package render

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"

	"trapline/analysis"
)

// Events prints hits in the layout of perf script. Times have nanoseconds, which
// perf prints only on request: hits on one CPU are often less than a microsecond
// apart.
type Events struct {
	w      *bufio.Writer
	stacks bool
	texts  map[*analysis.Stack]string // cache: hits share few stacks
	names  map[string]string          // cache of cleaned names
	line   []byte
}

// NewEvents returns a printer of hits, with their stacks if stacks is set. The
// caller flushes w.
func NewEvents(w *bufio.Writer, stacks bool) *Events {
	return &Events{w: w, stacks: stacks, texts: make(map[*analysis.Stack]string), names: make(map[string]string)}
}

// Write prints one hit. It returns errors of the underlying writer.
func (p *Events) Write(e *analysis.Event) error {
	b := p.line[:0]
	b = pad(b, p.name(e.Task.Comm), 16)
	b = append(b, ' ')
	b = pad(b, strconv.FormatUint(uint64(e.Task.TID), 10), 7)
	b = fmt.Appendf(b, " [%03d] %5d.%09d: ", e.CPU, e.Time/1e9, e.Time%1e9)
	b = append(b, p.name(e.Probe.Name)...)
	b = append(b, ':')
	for _, v := range e.Args {
		if v.Field != nil {
			b = append(b, ' ')
			b = append(b, p.name(v.Field.Name)...)
			b = append(b, '=')
			b = append(b, clean(v.String())...)
		}
	}
	b = append(b, '\n')
	p.line = b
	_, err := p.w.Write(b)
	if !p.stacks || e.Kernel == nil && e.User == nil {
		return err
	}
	p.w.WriteString(p.text(e.Kernel))
	p.w.WriteString(p.text(e.User))
	return p.w.WriteByte('\n')
}

func pad(b []byte, s string, width int) []byte {
	for n := width - len(s); n > 0; n-- {
		b = append(b, ' ')
	}
	return append(b, s...)
}

func (p *Events) name(s string) string {
	c, ok := p.names[s]
	if !ok {
		c = clean(s)
		p.names[s] = c
	}
	return c
}

func (p *Events) text(s *analysis.Stack) string {
	if s == nil {
		return ""
	}
	text, ok := p.texts[s]
	if !ok {
		var b strings.Builder
		for _, c := range s.Calls {
			eventCall(&b, c)
		}
		text = b.String()
		p.texts[s] = text
	}
	return text
}

func eventCall(b *strings.Builder, c *analysis.Call) {
	if c.Truncated {
		b.WriteString("\t" + strings.Repeat(" ", 17) + clean(c.Function) + "\n")
		return
	}
	name, mark := c.NameOffset(), ""
	switch {
	case c.Inlined:
		name, mark = c.Name(), " (inlined)"
	case c.Guessed:
		mark = " (guessed)"
	}
	path := c.Image.Name()
	if c.Image != nil && c.Image.Path != "" {
		path = c.Image.Path
	}
	fmt.Fprintf(b, "\t%16x %s (%s)%s\n", c.Offset, clean(name), clean(path), mark)
}
