package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strconv"

	"trapline/analysis"
	"trapline/format"
)

var ndjson = Format{
	Name: "ndjson", Suffixes: []string{".ndjson", ".jsonl"},
	Help:  "one JSON object per hit, for jq, DuckDB and scripts",
	Write: writeNDJSON,
}

// writeNDJSON writes one JSON object per line and hit.
func writeNDJSON(w io.Writer, r *Request) (*Summary, error) {
	n := ndjsonWriter{
		out:    bufio.NewWriterSize(w, 1<<16),
		texts:  map[string][]byte{},
		stacks: map[*analysis.Stack][]byte{},
		full:   r.Stacks,
	}
	result, err := r.each(r.Stacks, n.hit)
	if err != nil {
		return nil, err
	}
	if n.err != nil {
		return nil, n.err
	}
	return result, n.out.Flush()
}

type ndjsonWriter struct {
	out    *bufio.Writer
	texts  map[string][]byte // cache of encoded names
	stacks map[*analysis.Stack][]byte
	full   bool
	line   []byte
	err    error
}

func (n *ndjsonWriter) hit(e *analysis.Event) bool {
	b := append(n.line[:0], `{"time":`...)
	b = strconv.AppendUint(b, e.Time, 10)
	if t, ok := e.Header.RealTime(e.Time); ok {
		b = append(b, `,"realtime":`...)
		b = strconv.AppendInt(b, t.UnixNano(), 10)
	}
	b = append(b, `,"comm":`...)
	b = append(b, n.text(e.Task.Comm)...)
	b = append(b, `,"pid":`...)
	b = strconv.AppendUint(b, uint64(e.Task.PID), 10)
	b = append(b, `,"tid":`...)
	b = strconv.AppendUint(b, uint64(e.Task.TID), 10)
	b = append(b, `,"cpu":`...)
	b = strconv.AppendInt(b, int64(e.CPU), 10)
	b = append(b, `,"probe":`...)
	b = append(b, n.text(e.Probe.Name)...)
	b = append(b, `,"args":{`...)
	for i, v := range e.Args {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, n.text(e.Probe.Fields[i].Name)...)
		b = append(b, ':')
		b = appendJSONValue(b, v)
	}
	b = append(b, '}')
	if n.full {
		b = append(b, `,"kernel_stack":`...)
		b = append(b, n.stack(e.Kernel)...)
		b = append(b, `,"user_stack":`...)
		b = append(b, n.stack(e.User)...)
	}
	n.line = append(b, '}', '\n')
	_, n.err = n.out.Write(n.line)
	return n.err == nil
}

func (n *ndjsonWriter) text(s string) []byte {
	b, ok := n.texts[s]
	if !ok {
		b = encodeJSON(s)
		n.texts[s] = b
	}
	return b
}

// encodeJSON replaces invalid UTF-8 by U+FFFD, which JSON requires. Unlike
// json.Marshal it does not escape <, > and &.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("export: value that JSON cannot represent: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// appendJSONValue writes numbers as numbers, even large and named ones. Hexadecimal
// numbers and addresses become strings as in reports. What could not be read, or is
// missing from a damaged capture, becomes null.
func appendJSONValue(dst []byte, v analysis.Value) []byte {
	if v.Field == nil || v.State == analysis.ValueUnread {
		return append(dst, "null"...)
	}
	if v.Numbers == nil {
		return appendJSONElement(dst, v, v.Number)
	}
	dst = append(dst, '[')
	for i, n := range v.Numbers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSONElement(dst, v, n)
	}
	return append(dst, ']')
}

func appendJSONElement(dst []byte, v analysis.Value, n uint64) []byte {
	switch v.Field.Type {
	case format.FieldInt:
		return strconv.AppendInt(dst, int64(n), 10)
	case format.FieldHex, format.FieldPointer:
		dst = append(dst, `"0x`...)
		return append(strconv.AppendUint(dst, n, 16), '"')
	case format.FieldBool:
		return strconv.AppendBool(dst, n != 0)
	case format.FieldChar:
		return append(dst, encodeJSON(string(rune(byte(n))))...)
	case format.FieldString, format.FieldBytes, format.FieldSymbol:
		return append(dst, encodeJSON(v.String())...)
	}
	return strconv.AppendUint(dst, n, 10)
}

// A jsonFrame is one call of a stack.
type jsonFrame struct {
	Function       string `json:"function,omitempty"`
	FunctionOffset uint64 `json:"function_offset,omitempty"`
	Image          string `json:"image,omitempty"`
	Offset         uint64 `json:"offset"`
	File           string `json:"file,omitempty"`
	Line           int    `json:"line,omitempty"`
	Inlined        bool   `json:"inlined,omitempty"`
	Guessed        bool   `json:"guessed,omitempty"`
	Truncated      bool   `json:"truncated,omitempty"`
}

// stack returns an array of calls, innermost first, or null without a stack.
func (n *ndjsonWriter) stack(s *analysis.Stack) []byte {
	if s == nil {
		return []byte("null")
	}
	b, ok := n.stacks[s]
	if !ok {
		frames := make([]jsonFrame, len(s.Calls))
		for i, c := range s.Calls {
			frames[i] = jsonFrame{
				Function: c.Function, FunctionOffset: c.FunctionOffset, Offset: c.Offset,
				File: c.File, Line: c.Line, Inlined: c.Inlined,
				Guessed: c.Guessed, Truncated: c.Truncated,
			}
			if c.Image != nil {
				frames[i].Image = imagePath(c.Image)
			}
		}
		b = encodeJSON(frames)
		n.stacks[s] = b
	}
	return b
}
