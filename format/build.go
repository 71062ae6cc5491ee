package format

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// BuildText is the inverse of [DumpText]: it writes the capture that the text
// tells. It checks nothing but the text's own syntax, so that damaged captures
// can be built; an error says which line cannot be read.
func BuildText(w io.Writer, text io.Reader) error {
	b := builder{e: newEncoder(new(output), w, &WriterOptions{Level: 1})}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 4*MaxPayload)
	for n := 1; lines.Scan(); n++ {
		if err := b.line(lines.Text()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if err := b.finish(); err != nil {
		return err
	}
	return b.e.out.err()
}

// A builder collects the rows of a block until the next block begins.
type builder struct {
	e     *encoder
	open  bool
	kind  kind
	attrs map[string]string
	rows  []textRow
	args  int
}

func (b *builder) line(line string) error {
	switch {
	case strings.TrimSpace(line) == "" || line[0] == '#':
		return nil
	case line[0] == '\t':
		if !b.open {
			return fmt.Errorf("a row without a block")
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
		return b.e.write(raw)
	}
	b.open, b.attrs, b.rows, b.args, b.kind = true, map[string]string{}, nil, 0, 0
	for k, s := range specs {
		if s.name == name {
			b.kind = k
		}
	}
	if b.kind == 0 && name != "KIND" {
		return fmt.Errorf("unknown block %q", name)
	}
	return pairs(rest, func(key, value string) error {
		b.attrs[key] = value
		return nil
	})
}

// pairs calls set for each key=value. A value is a quoted string, a list in
// brackets, or ends at a space.
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
				return fmt.Errorf("%s: list without an end", key)
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
	row := textRow{map[uint16][]uint64{}, map[uint16]string{}}
	err := pairs(text, func(key, value string) error {
		s, ok := b.find(key)
		if !ok {
			return fmt.Errorf("%v has no such column", b.kind)
		}
		if s.text {
			t, err := strconv.Unquote(value)
			row.texts[s.id] = t
			return err
		}
		for _, word := range strings.Fields(strings.Trim(value, "[]")) {
			v, err := strconv.ParseUint(word, 0, 64)
			if err != nil {
				return err
			}
			row.numbers[s.id] = append(row.numbers[s.id], v)
		}
		return nil
	})
	b.rows = append(b.rows, row)
	return err
}

func (b *builder) find(name string) (columnSpec, bool) {
	for _, s := range specs[b.kind].columns {
		if s.name == name && !s.lengths {
			return s, true
		}
	}
	digits, ok := strings.CutPrefix(name, "arg")
	if n, err := strconv.Atoi(digits); ok && b.kind == kindHits && err == nil && n >= 0 && n < MaxColumns {
		b.args = max(b.args, n+1)
		return columnSpec{id: hitArg + 2*uint16(n), name: name}, true
	}
	return columnSpec{}, false
}

// finish writes the block that is open.
func (b *builder) finish() error {
	if !b.open {
		return nil
	}
	b.open = false
	h, flags, err := b.header()
	if err != nil {
		return err
	}
	b.e.begin()
	if text, given := b.attrs["payload"]; given {
		raw, err := hex.DecodeString(text)
		if err != nil {
			return fmt.Errorf("payload: %w", err)
		}
		b.e.payload.data = append(b.e.payload.data, raw...)
	} else if err := b.columns(); err != nil {
		return err
	}
	return b.e.seal(&h, flags)
}

// header returns the header as far as it is known before the payload.
func (b *builder) header() (header, uint32, error) {
	h := header{kind: b.kind, rows: uint32(len(b.rows))}
	h.tmin, h.tmax = timeRange(b.kind, b.rows)
	h.part, h.segment = expected(b.kind, b.e.part, b.e.segment)
	var flags uint32
	for key, value := range b.attrs {
		v, err := strconv.ParseUint(value, 0, 64)
		switch key {
		case "version", "payload":
			continue
		case "kind":
			h.kind = kind(v)
		case "rows":
			h.rows = uint32(v)
		case "first":
			h.first = uint32(v)
		case "tmin":
			h.tmin = v
		case "tmax":
			h.tmax = v
		case "flags":
			flags = uint32(v)
		case "part":
			h.part = uint32(v)
		case "segment":
			h.segment = uint32(v)
		default:
			return h, 0, fmt.Errorf("unknown attribute %q", key)
		}
		if err != nil {
			return h, 0, fmt.Errorf("%s: %w", key, err)
		}
	}
	return h, flags, nil
}

// columns appends the columns of the rows to the payload.
func (b *builder) columns() error {
	if b.kind == kindFile {
		version := uint64(Version)
		if text, given := b.attrs["version"]; given {
			var err error
			if version, err = strconv.ParseUint(text, 0, 16); err != nil {
				return fmt.Errorf("version: %w", err)
			}
		}
		b.e.fixed(uint16(version))
	}
	for _, s := range columnsOf(b.kind, b.args) {
		switch {
		case s.text:
			list := make([]string, len(b.rows))
			for i, r := range b.rows {
				list[i] = r.texts[s.id]
			}
			b.e.payload.bytes(s.id, []byte(strings.Join(list, "")))
		case s.lengths:
			b.e.payload.column(s.id, b.lengths(s.id))
		default:
			b.e.payload.column(s.id, b.values(s))
		}
	}
	return nil
}

// lengths returns how long each row's lists are under the column of lengths.
func (b *builder) lengths(id uint16) []uint64 {
	out := make([]uint64, len(b.rows))
	for _, s := range specs[b.kind].columns {
		if s.list != id {
			continue
		}
		for i, r := range b.rows {
			out[i] = max(out[i], uint64(len(r.numbers[s.id])), uint64(len(r.texts[s.id])))
		}
	}
	return out
}

// values returns the values of a column: one a row, or as many as the longest of
// the lists that share its lengths.
func (b *builder) values(s columnSpec) []uint64 {
	var sizes []uint64
	if s.list != 0 {
		sizes = b.lengths(s.list)
	}
	var out []uint64
	for i, r := range b.rows {
		n := 1
		if s.list != 0 {
			n = int(sizes[i])
		}
		v := r.numbers[s.id]
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
