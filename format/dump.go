package format

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// DumpText writes every block of a capture as text that [BuildText] reads.
// Damage becomes comments, and so does a missing end: neither is an error, nor is
// an input that is no capture at all.
func DumpText(w io.Writer, r io.Reader) error {
	d := dumper{w: bufio.NewWriter(w)}
	scan := scanner{src: source{r: r}}
	for {
		b, damage, err := scan.next()
		switch {
		case errors.Is(err, ErrTruncated):
			fmt.Fprintln(d.w, "# the input ends inside a block")
			return d.w.Flush()
		case errors.Is(err, io.EOF):
			return d.w.Flush()
		case err != nil:
			return errors.Join(d.w.Flush(), err)
		case damage != nil:
			fmt.Fprintf(d.w, "# %v, %d bytes\n", damage.Err(), damage.Length)
		default:
			d.block(b)
		}
		if d.w.Buffered() == 0 {
			continue
		}
		if err := d.w.Flush(); err != nil {
			return err
		}
	}
}

type dumper struct {
	w             *bufio.Writer
	part, segment uint32 // checksums that blocks should carry
}

func (d *dumper) block(b *found) {
	fixed, version, isFile := b.payload, uint16(0), false
	if b.kind == kindFile && len(b.payload) >= fileFixed && string(b.payload[:len(magic)]) == magic {
		version, isFile = binary.LittleEndian.Uint16(b.payload[len(magic):]), true
		fixed = b.payload[fileFixed:]
	}
	columns, err := parseColumns(fixed)
	var rows []textRow
	var spec []columnSpec
	if _, ok := specs[b.kind]; err == nil && !ok {
		err = errors.New("the kind is unknown")
	}
	if err == nil && (b.kind == kindFile) != isFile {
		err = errors.New("it does not begin as a FILE")
	}
	if err == nil {
		rows, spec, err = rowsOf(b.kind, int(b.rows), columns)
	}
	d.head(b, rows)
	switch {
	case err != nil:
		fmt.Fprintf(d.w, " rows=%d payload=%s\n# %v\n", b.rows, hex.EncodeToString(b.payload), err)
	case isFile:
		fmt.Fprintf(d.w, " version=%d\n", version)
	default:
		fmt.Fprintln(d.w)
	}
	for _, row := range rows {
		d.row(row, spec)
	}
	switch b.kind {
	case kindFile:
		d.part, d.segment = b.headerCRC, 0
	case kindSegment:
		d.segment = b.headerCRC
	}
}

// head writes the block's name and those attributes that BuildText would not find
// by itself.
func (d *dumper) head(b *found, rows []textRow) {
	if _, ok := specs[b.kind]; ok {
		fmt.Fprint(d.w, b.kind)
	} else {
		fmt.Fprintf(d.w, "KIND kind=%d", b.kind)
	}
	if b.first != 0 {
		fmt.Fprintf(d.w, " first=%d", b.first)
	}
	if tmin, tmax := timeRange(b.kind, rows); b.tmin != tmin || b.tmax != tmax {
		fmt.Fprintf(d.w, " tmin=%d tmax=%d", b.tmin, b.tmax)
	}
	if b.flags != 0 {
		fmt.Fprintf(d.w, " flags=%d", b.flags)
	}
	part, segment := expected(b.kind, d.part, d.segment)
	if b.part != part {
		fmt.Fprintf(d.w, " part=%d", b.part)
	}
	if b.segment != segment {
		fmt.Fprintf(d.w, " segment=%d", b.segment)
	}
}

// timeRange returns the range of times of a block of hits.
func timeRange(k kind, rows []textRow) (tmin, tmax uint64) {
	if k != kindHits || len(rows) == 0 {
		return 0, 0
	}
	times := make([]uint64, len(rows))
	for i, r := range rows {
		if v := r.numbers[hitTime]; len(v) > 0 {
			times[i] = v[0]
		}
	}
	return bounds(times)
}

func (d *dumper) row(row textRow, spec []columnSpec) {
	sep := "\t"
	for i, s := range spec {
		switch v := row.numbers[s.id]; {
		case s.lengths:
			continue
		case s.text:
			fmt.Fprintf(d.w, "%s%s=%q", sep, s.name, row.texts[s.id])
		case s.list != 0:
			if len(v) == 0 && i+1 < len(spec) {
				continue
			}
			fmt.Fprintf(d.w, "%s%s=%d", sep, s.name, v)
		case v[0] != 0 || i == 0:
			fmt.Fprintf(d.w, "%s%s=%d", sep, s.name, v[0])
		default:
			continue
		}
		sep = " "
	}
	fmt.Fprintln(d.w)
}
