package export

import (
	"bufio"
	"encoding/csv"
	"io"
	"slices"
	"strconv"

	"trapline/analysis"
	"trapline/format"
)

var csvFormat = Format{
	Name: "csv", Suffixes: []string{".csv"},
	Help:  "one row per hit, one column per argument, for spreadsheets and data frames",
	Write: writeCSV,
}

// fixedColumns are the first columns of every CSV file. The columns of stacks and
// arguments follow.
var fixedColumns = []string{"time", "realtime", "comm", "pid", "tid", "cpu", "probe"}

// writeCSV writes RFC 4180 rows with a header. Since the header names the arguments
// of all hits, it reads the captures twice.
func writeCSV(w io.Writer, r *Request) (*Summary, error) {
	for _, in := range r.Inputs {
		in.Keep()
	}
	probes, err := analysis.ProbesHit(r.Inputs, r.query())
	if err != nil {
		return nil, err
	}
	c := newCSVWriter(w, probes, r.Stacks)
	if err := c.out.Write(c.names); err != nil {
		return nil, err
	}
	result, err := r.each(r.Stacks, c.hit)
	if err != nil {
		return nil, err
	}
	c.out.Flush()
	return result, c.out.Error()
}

// A csvWriter writes rows.
type csvWriter struct {
	out     *csv.Writer
	names   []string
	columns map[string]int            // argument name → column
	probes  map[*analysis.Probe][]int // columns of the arguments of a probe
	stacks  map[*analysis.Stack]string
	full    bool // with stacks
	row     []string
}

func newCSVWriter(w io.Writer, probes []*analysis.Probe, stacks bool) *csvWriter {
	c := &csvWriter{
		out:     csv.NewWriter(bufio.NewWriterSize(w, 1<<16)),
		names:   slices.Clone(fixedColumns),
		columns: map[string]int{},
		probes:  map[*analysis.Probe][]int{},
		stacks:  map[*analysis.Stack]string{},
		full:    stacks,
	}
	if stacks {
		c.names = append(c.names, "kernel_stack", "user_stack")
	}
	for _, p := range probes {
		for _, f := range p.Fields {
			name := csvArgument(f)
			if _, ok := c.columns[name]; !ok {
				c.columns[name] = len(c.names)
				c.names = append(c.names, name)
			}
		}
	}
	c.row = make([]string, len(c.names))
	return c
}

// csvArgument returns the column name of an argument. Arguments with the same name
// share a column. The prefix distinguishes arguments called pid or comm from those
// columns of the task.
func csvArgument(f analysis.Field) string { return "args." + validText(f.Name) }

func (c *csvWriter) hit(e *analysis.Event) bool {
	row := append(c.row[:0],
		strconv.FormatUint(e.Time, 10), "", validText(e.Task.Comm),
		strconv.FormatUint(uint64(e.Task.PID), 10), strconv.FormatUint(uint64(e.Task.TID), 10),
		strconv.Itoa(e.CPU), validText(e.Probe.Name))
	if t, ok := e.Header.RealTime(e.Time); ok {
		row[1] = strconv.FormatInt(t.UnixNano(), 10)
	}
	if c.full {
		row = append(row, c.stack(e.Kernel), c.stack(e.User))
	}
	clear(c.row[len(row):])
	columns := c.argColumns(e.Probe)
	for i, v := range e.Args {
		c.row[columns[i]] = csvValue(v)
	}
	return c.out.Write(c.row) == nil
}

func (c *csvWriter) argColumns(p *analysis.Probe) []int {
	columns, ok := c.probes[p]
	if !ok {
		for _, f := range p.Fields {
			columns = append(columns, c.columns[csvArgument(f)])
		}
		c.probes[p] = columns
	}
	return columns
}

// csvValue returns the value as in reports, but without the quotes of a character.
// It returns "" for an argument that could not be read or that a damaged capture
// lacks. Invalid UTF-8 becomes U+FFFD, as in NDJSON.
func csvValue(v analysis.Value) string {
	switch {
	case v.Field == nil, v.State == analysis.ValueUnread:
		return ""
	case v.Field.Type == format.FieldChar && v.Numbers == nil:
		return string(rune(byte(v.Number)))
	}
	return validText(v.String())
}

// stack returns the folded form, outermost call first.
func (c *csvWriter) stack(s *analysis.Stack) string {
	if s == nil {
		return ""
	}
	text, ok := c.stacks[s]
	if !ok {
		var b []byte
		for i, call := range slices.Backward(s.Calls) {
			b = appendFolded(b, printable(call.Name()), false, analysis.KindOther)
			if i > 0 {
				b = append(b, ';')
			}
		}
		text = string(b)
		c.stacks[s] = text
	}
	return text
}
