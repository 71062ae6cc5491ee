package text

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// Build is the inverse of [Dump]: it writes the capture that the text describes. It checks
// only the syntax of the text, so damaged captures can be built. An error names the line.
func Build(w io.Writer, text io.Reader) error {
	b := builder{w: w, zstd: column.NewCompressor(1)}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 4*block.MaxPayload)
	for n := 1; lines.Scan(); n++ {
		if err := b.line(lines.Text()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return b.finish()
}

// A builder collects the rows of a block until the next block begins.
type builder struct {
	w       io.Writer
	zstd    *zstd.Encoder
	place   block.Place
	payload column.Builder

	open  bool
	kind  block.Kind
	attrs map[string]string
	rows  []row
	args  int
}

func (b *builder) line(line string) error {
	switch {
	case strings.TrimSpace(line) == "" || line[0] == '#':
		return nil
	case line[0] == '\t':
		if !b.open {
			return errors.New("row without a block")
		}
		return b.row(line[1:])
	}
	if err := b.finish(); err != nil {
		return err
	}
	name, rest, _ := strings.Cut(line, " ")
	if name == "RAW" {
		raw, err := hex.DecodeString(strings.TrimSpace(rest))
		if err != nil {
			return err
		}
		_, err = b.w.Write(raw)
		return err
	}
	b.open, b.attrs, b.rows, b.args, b.kind = true, map[string]string{}, nil, 0, block.Named(name)
	if b.kind == 0 && name != "KIND" {
		return fmt.Errorf("unknown block %q", name)
	}
	return pairs(rest, func(key, value string) error {
		b.attrs[key] = value
		return nil
	})
}

// pairs calls set for each key=value. A value is a quoted string, a list in brackets, or
// anything up to the next space.
func pairs(s string, set func(key, value string) error) error {
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("%.40q has no value", s)
		}
		var value string
		switch {
		case strings.HasPrefix(rest, `"`):
			q, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			value, s = q, rest[len(q):]
		case strings.HasPrefix(rest, "["):
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return fmt.Errorf("%s: unterminated list", key)
			}
			value, s = rest[:end+1], rest[end+1:]
		default:
			value, s, _ = strings.Cut(rest, " ")
		}
		if err := set(key, value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func (b *builder) row(text string) error {
	r := row{map[uint16][]uint64{}, map[uint16]string{}}
	err := pairs(text, func(key, value string) error {
		s, ok := b.find(key)
		if !ok {
			return fmt.Errorf("%v has no such column", b.kind)
		}
		if s.Text {
			t, err := strconv.Unquote(value)
			r.texts[s.ID] = t
			return err
		}
		for _, word := range strings.Fields(strings.Trim(value, "[]")) {
			v, err := strconv.ParseUint(word, 0, 64)
			if err != nil {
				return err
			}
			r.numbers[s.ID] = append(r.numbers[s.ID], v)
		}
		return nil
	})
	b.rows = append(b.rows, r)
	return err
}

func (b *builder) find(name string) (block.Column, bool) {
	columns, _ := b.kind.Columns()
	for _, s := range columns {
		if s.Name == name && !s.Lengths {
			return s, true
		}
	}
	digits, ok := strings.CutPrefix(name, "arg")
	if n, err := strconv.Atoi(digits); ok && b.kind == block.Hits && err == nil && n >= 0 && n < column.MaxColumns {
		b.args = max(b.args, n+1)
		return argument(n), true
	}
	return block.Column{}, false
}

// finish writes the open block, if there is one.
func (b *builder) finish() error {
	if !b.open {
		return nil
	}
	b.open = false
	h, err := b.header()
	if err != nil {
		return err
	}
	b.payload.Begin(block.HeaderSize, b.zstd)
	if text, given := b.attrs["payload"]; given {
		raw, err := hex.DecodeString(text)
		if err != nil {
			return fmt.Errorf("payload: %w", err)
		}
		b.payload.AddRaw(raw)
	} else if err := b.columns(); err != nil {
		return err
	}
	data := b.payload.Data()
	h.Seal(data[:0], data[block.HeaderSize:])
	b.place.Pass(&h)
	_, err = b.w.Write(data)
	return err
}

// header returns the header without length and checksums.
func (b *builder) header() (block.Header, error) {
	h := block.Header{Kind: b.kind, Rows: uint32(len(b.rows))}
	h.TimeMin, h.TimeMax = timeRange(b.kind, b.rows)
	h.Part, h.Segment = b.place.Stamps(b.kind)
	for key, value := range b.attrs {
		v, err := strconv.ParseUint(value, 0, 64)
		switch key {
		case "version", "payload":
			continue
		case "kind":
			h.Kind = block.Kind(v)
		case "rows":
			h.Rows = uint32(v)
		case "first":
			h.First = uint32(v)
		case "tmin":
			h.TimeMin = v
		case "tmax":
			h.TimeMax = v
		case "flags":
			h.Flags = uint32(v)
		case "part":
			h.Part = uint32(v)
		case "segment":
			h.Segment = uint32(v)
		default:
			return h, fmt.Errorf("unknown attribute %q", key)
		}
		if err != nil {
			return h, fmt.Errorf("%s: %w", key, err)
		}
	}
	return h, nil
}

// columns appends the columns of the rows to the payload.
func (b *builder) columns() error {
	if b.kind == block.File {
		version := uint64(block.Version)
		if text, given := b.attrs["version"]; given {
			var err error
			if version, err = strconv.ParseUint(text, 0, 16); err != nil {
				return fmt.Errorf("version: %w", err)
			}
		}
		b.payload.AddRaw(block.AppendFile(nil, uint16(version)))
	}
	for _, s := range columnsOf(b.kind, b.args) {
		switch {
		case s.Text:
			list := make([]string, len(b.rows))
			for i, r := range b.rows {
				list[i] = r.texts[s.ID]
			}
			b.payload.AddBytes(s.ID, []byte(strings.Join(list, "")))
		case s.Lengths:
			b.payload.Add(s.ID, b.lengths(s.ID))
		default:
			b.payload.Add(s.ID, b.values(s))
		}
	}
	return nil
}

// lengths returns the length of each row's lists, for the column of lengths with the ID.
func (b *builder) lengths(id uint16) []uint64 {
	out := make([]uint64, len(b.rows))
	columns, _ := b.kind.Columns()
	for _, s := range columns {
		if s.List != id {
			continue
		}
		for i, r := range b.rows {
			out[i] = max(out[i], uint64(len(r.numbers[s.ID])), uint64(len(r.texts[s.ID])))
		}
	}
	return out
}

// values returns the values of a column: one per row, or as many as the longest of the
// lists that share its column of lengths.
func (b *builder) values(s block.Column) []uint64 {
	var sizes []uint64
	if s.List != 0 {
		sizes = b.lengths(s.List)
	}
	var out []uint64
	for i, r := range b.rows {
		n := 1
		if s.List != 0 {
			n = int(sizes[i])
		}
		v := r.numbers[s.ID]
		for j := range n {
			if j < len(v) {
				out = append(out, v[j])
			} else {
				out = append(out, 0)
			}
		}
	}
	return out
}
