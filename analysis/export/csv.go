package export

import (
	"bufio"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"trapline/analysis"
	"trapline/format"
)

// fixedColumns are the columns of every CSV file; those of the arguments, and of
// the stacks, follow.
var fixedColumns = []string{"time", "realtime", "comm", "pid", "tid", "cpu", "probe"}

// writeCSV writes RFC 4180 rows with a header. The header names the arguments of
// all probes, known only at the end, as the input may be a pipe; so the rows wait in a temporary
// file.
func writeCSV(w io.Writer, r *Request) (result *Summary, err error) {
	spool, err := os.CreateTemp("", "trapline-csv-")
	if err != nil {
		return nil, fmt.Errorf("a temporary file for the rows: %w", err)
	}
	defer func() {
		spool.Close()
		os.Remove(spool.Name())
	}()
	c := newCSVRows(spool, r.Stacks)
	result, err = r.each(c.hit)
	if err == nil {
		err = c.flush()
	}
	if err != nil {
		return nil, err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return result, c.replay(w, bufio.NewReaderSize(spool, 1<<16))
}

// csvRows collects rows. A row in the spool is the number of its cells and each
// cell with its length; columns are only ever added at the end.
type csvRows struct {
	spool   *bufio.Writer
	names   []string
	columns map[string]int
	probes  map[*analysis.Probe][]int // columns of a probe's arguments
	stacks  map[*analysis.Stack]string
	full    bool
	cells   []string
	buf     []byte
	rows    int
	err     error
}

func newCSVRows(spool io.Writer, stacks bool) *csvRows {
	c := &csvRows{
		spool:   bufio.NewWriterSize(spool, 1<<16),
		names:   slices.Clone(fixedColumns),
		columns: map[string]int{},
		probes:  map[*analysis.Probe][]int{},
		stacks:  map[*analysis.Stack]string{},
		full:    stacks,
	}
	if stacks {
		c.names = append(c.names, "kernel_stack", "user_stack")
	}
	return c
}

func (c *csvRows) hit(e *analysis.Event) bool {
	columns := c.argColumns(e.Probe)
	c.cells = append(c.cells[:0],
		strconv.FormatUint(e.Time, 10), "", validText(e.Task.Comm),
		strconv.FormatUint(uint64(e.Task.PID), 10), strconv.FormatUint(uint64(e.Task.TID), 10),
		strconv.Itoa(e.CPU), validText(e.Probe.Name))
	if t, ok := e.Header.RealTime(e.Time); ok {
		c.cells[1] = strconv.FormatInt(t.UnixNano(), 10)
	}
	if c.full {
		c.cells = append(c.cells, c.stack(e.Kernel), c.stack(e.User))
	}
	for len(c.cells) < len(c.names) {
		c.cells = append(c.cells, "")
	}
	for i, v := range e.Args {
		c.cells[columns[i]] = csvValue(v)
	}
	c.buf = binary.AppendUvarint(c.buf[:0], uint64(len(c.cells)))
	for _, cell := range c.cells {
		c.buf = binary.AppendUvarint(c.buf, uint64(len(cell)))
		c.buf = append(c.buf, cell...)
	}
	_, c.err = c.spool.Write(c.buf)
	c.rows++
	return c.err == nil
}

// argColumns returns where a probe's arguments go. Arguments of the same name
// share a column; the prefix keeps those called pid or comm apart from the task's.
func (c *csvRows) argColumns(p *analysis.Probe) []int {
	columns, ok := c.probes[p]
	if ok {
		return columns
	}
	for _, f := range p.Fields {
		name := "args." + validText(f.Name)
		at, ok := c.columns[name]
		if !ok {
			at = len(c.names)
			c.names = append(c.names, name)
			c.columns[name] = at
		}
		columns = append(columns, at)
	}
	c.probes[p] = columns
	return columns
}

// csvValue returns what reports show, without the quotes of a character and with
// nothing for an argument that could not be read or a damaged capture does not have. Bytes
// that are not UTF-8 become U+FFFD, as in the other text formats for programs.
func csvValue(v analysis.Value) string {
	switch {
	case v.Field == nil, v.State == analysis.ValueUnread:
		return ""
	case v.Field.Type == format.FieldChar && v.Numbers == nil:
		return string(rune(byte(v.Number)))
	}
	return validText(v.String())
}

// stack is the folded form: outermost call first.
func (c *csvRows) stack(s *analysis.Stack) string {
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

func (c *csvRows) flush() error {
	if c.err != nil {
		return fmt.Errorf("a temporary file for the rows: %w", c.err)
	}
	return c.spool.Flush()
}

// replay writes the header and the rows, each as wide as the header.
func (c *csvRows) replay(w io.Writer, spool *bufio.Reader) error {
	out := csv.NewWriter(w)
	out.UseCRLF = false
	if err := out.Write(c.names); err != nil {
		return err
	}
	row := make([]string, len(c.names))
	for range c.rows {
		clear(row)
		cells, err := binary.ReadUvarint(spool)
		for i := 0; err == nil && i < int(cells); i++ {
			var n uint64
			if n, err = binary.ReadUvarint(spool); err == nil {
				cell := make([]byte, n)
				_, err = io.ReadFull(spool, cell)
				row[i] = string(cell)
			}
		}
		if err != nil {
			return fmt.Errorf("a temporary file for the rows: %w", err)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
