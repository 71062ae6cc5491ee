package export

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"trapline/analysis"
	"trapline/format"
)

var perfscript = Format{
	Name: "perfscript", Suffixes: []string{".perfscript", ".perf", ".txt"},
	Help:  "perf script text, for stackcollapse-perf.pl, speedscope and Firefox Profiler",
	Write: writePerfScript,
}

// writePerfScript writes hits as perf script --header -F +pid does (process_event
// in tools/perf/builtin-script.c): a line with task, CPU, time, event and
// arguments, a line per call, and an empty line. Names are changed only where known
// readers would misread them.
func writePerfScript(w io.Writer, r *Request) (*Summary, error) {
	p := perfScript{
		out:    bufio.NewWriterSize(w, 1<<16),
		stacks: map[*analysis.Stack][]byte{},
		events: map[*analysis.Probe]string{},
		tasks:  map[analysis.Task]string{},
	}
	result, err := r.each(true, p.hit)
	if err != nil {
		return nil, err
	}
	if p.err != nil {
		return nil, p.err
	}
	return result, p.out.Flush()
}

// A perfScript writes hits. It caches text that many hits share.
type perfScript struct {
	out    *bufio.Writer
	header *analysis.Header
	stacks map[*analysis.Stack][]byte
	events map[*analysis.Probe]string
	tasks  map[analysis.Task]string
	line   []byte
	err    error
}

func (p *perfScript) hit(e *analysis.Event) bool {
	if e.Header != p.header {
		p.header = e.Header
		p.part(e.Header)
	}
	b := append(p.line[:0], p.task(*e.Task)...)
	b = fmt.Appendf(b, " [%03d] %6d.%09d: %s", e.CPU, e.Time/1e9, e.Time%1e9, p.event(e.Probe))
	for _, v := range e.Args {
		if v.Field != nil {
			b = append(b, ' ')
			b = append(b, plainName(v.Field.Name)...)
			b = append(b, '=')
			b = append(b, perfValue(v)...)
		}
	}
	p.line = append(b, '\n')
	p.out.Write(p.line)
	p.out.Write(p.stack(e.Kernel))
	p.out.Write(p.stack(e.User))
	p.err = p.out.WriteByte('\n')
	return p.err == nil
}

// part writes the header of perf (perf_session__fprintf_info in
// tools/perf/util/session.c). Firefox Profiler recognizes the format by it.
func (p *perfScript) part(h *analysis.Header) {
	p.out.WriteString("# ========\n")
	if t, ok := h.RealTime(h.Clock.Monotonic); ok {
		fmt.Fprintf(p.out, "# captured on    : %s\n", t.Format("Mon Jan _2 15:04:05 2006"))
	}
	for _, row := range [...][2]string{
		{"hostname", format.KeyHostname}, {"os release", format.KeyKernel}, {"arch", format.KeyArch},
		{"cpus online", format.KeyCPUs}, {"cmdline", format.KeyCommandLine},
	} {
		if v := h.Get(row[1]); v != "" {
			fmt.Fprintf(p.out, "# %s : %s\n", row[0], printable(v))
		}
	}
	p.out.WriteString("# ========\n#\n\n")
}

// beforeDigit matches white space that readers take for the end of the task name.
var beforeDigit = regexp.MustCompile(`\s+(\d)`)

func (p *perfScript) task(t analysis.Task) string {
	s, ok := p.tasks[t]
	if !ok {
		name := strings.TrimLeft(beforeDigit.ReplaceAllString(printable(t.Name()), "_$1"), " #")
		s = fmt.Sprintf("%-15s %d/%d", cmp.Or(name, ":"+strconv.Itoa(int(t.TID))), t.PID, t.TID)
		p.tasks[t] = s
	}
	return s
}

// event returns the name of the probe, preceded by its period if that is not 1.
func (p *perfScript) event(probe *analysis.Probe) string {
	s, ok := p.events[probe]
	if !ok {
		if probe.Period > 1 {
			s = strconv.FormatUint(probe.Period, 10) + " "
		}
		s += spaceless(probeName(probe)) + ":"
		p.events[probe] = s
	}
	return s
}

// stack returns a line per call: address, function, image. The address is the
// offset in the image, since captures do not depend on load addresses.
func (p *perfScript) stack(s *analysis.Stack) []byte {
	if s == nil {
		return nil
	}
	b, ok := p.stacks[s]
	if !ok {
		for _, c := range s.Calls {
			b = fmt.Appendf(b, "\t%16x %s (%s)\n", c.Offset, perfSymbol(c), perfImage(c))
		}
		p.stacks[s] = b
	}
	return b
}

func perfSymbol(c *analysis.Call) string {
	switch {
	case c.Truncated:
		return printable(c.Function)
	case c.Function == "":
		return "[unknown]"
	}
	name := printable(c.Function)
	if strings.HasPrefix(name, "(") {
		// Readers mistake lines such as (anonymous namespace)::f for process names.
		name = "::" + name
	}
	if c.Inlined {
		return name
	}
	return name + "+0x" + strconv.FormatUint(c.FunctionOffset, 16)
}

func perfImage(c *analysis.Call) string {
	if c.Inlined {
		return "inlined"
	}
	return spaceless(imagePath(c.Image))
}

// plainName escapes characters that end the name of an argument.
func plainName(s string) string { return strings.ReplaceAll(spaceless(s), "=", `\075`) }

var plain = regexp.MustCompile(`^[\w./+@%,[\]-]+$`)

// perfValue quotes values that are not one plain word. It escapes colons in quotes,
// because readers find the time and the name of the event by the colon after them.
func perfValue(v analysis.Value) string {
	s := v.String()
	switch {
	case v.Numbers != nil:
		s = strings.ReplaceAll(s, ", ", ",")
	case v.Field.Type == format.FieldChar:
		s = string(rune(byte(v.Number)))
	}
	if plain.MatchString(s) {
		return s
	}
	return strings.ReplaceAll(strconv.Quote(s), ":", `\x3a`)
}
