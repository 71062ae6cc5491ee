package render

import (
	"bufio"
	"fmt"
	"strings"

	"trapline/analysis"
)

// Event writes one hit in the layout of perf script. The error is that of the
// underlying writer. Times have nanoseconds, which
// perf prints only when asked to: hits on one CPU are often less than a microsecond
// apart.
func Event(w *bufio.Writer, e *analysis.Event, stacks bool) error {
	fmt.Fprintf(w, "%16s %7d [%03d] %5d.%09d: %s:", clean(e.Task.Comm), e.Task.TID, e.CPU,
		e.Time/1e9, e.Time%1e9, clean(e.Probe.Name))
	for _, v := range e.Args {
		if v.Field != nil {
			w.WriteString(" " + clean(v.Field.Name) + "=" + clean(v.String()))
		}
	}
	err := w.WriteByte('\n')
	if !stacks || e.Kernel == nil && e.User == nil {
		return err
	}
	for _, s := range []*analysis.Stack{e.Kernel, e.User} {
		if s != nil {
			for _, c := range s.Calls {
				eventCall(w, c)
			}
		}
	}
	return w.WriteByte('\n')
}

func eventCall(w *bufio.Writer, c *analysis.Call) {
	if c.Truncated {
		w.WriteString("\t" + strings.Repeat(" ", 17) + clean(c.Function) + "\n")
		return
	}
	name := c.NameOffset()
	if c.Inlined {
		name = c.Name()
	}
	path := "[unknown]"
	if c.Image != nil && c.Image.Path != "" {
		path = c.Image.Path
	} else if c.Image != nil {
		path = c.Image.Name()
	}
	fmt.Fprintf(w, "\t%16x %s (%s)", c.Offset, clean(name), clean(path))
	if c.Inlined {
		w.WriteString(" (inlined)")
	}
	w.WriteByte('\n')
}
