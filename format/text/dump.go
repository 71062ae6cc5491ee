package text

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// Dump writes every block of a capture as text that [Build] reads. Damage and a missing end
// become comments. Neither is an error, nor is an input that is not a capture.
func Dump(w io.Writer, r io.Reader) error {
	d := dumper{w: bufio.NewWriter(w)}
	scan := block.NewScanner(r)
	for {
		b, damage, err := scan.Next()
		switch {
		case errors.Is(err, block.ErrTruncated):
			fmt.Fprintln(d.w, "# the input ends inside a block")
			return d.w.Flush()
		case errors.Is(err, io.EOF):
			return d.w.Flush()
		case err != nil:
			return errors.Join(d.w.Flush(), err)
		case damage != nil:
			fmt.Fprintf(d.w, "# capture is damaged at offset %d: %s, %d bytes\n", damage.Offset, damage.Reason, damage.Length)
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
	w     *bufio.Writer
	place block.Place // determines the CRCs that the next block should carry
}

func (d *dumper) block(b *block.Block) {
	rows, spec, version, err := contents(b)
	d.head(b, rows)
	switch {
	case err != nil:
		fmt.Fprintf(d.w, " rows=%d payload=%s\n# %v\n", b.Rows, hex.EncodeToString(b.Payload), err)
	case b.Kind == block.File:
		fmt.Fprintf(d.w, " version=%d\n", version)
	default:
		fmt.Fprintln(d.w)
	}
	for _, r := range rows {
		d.row(r, spec)
	}
	d.place.Pass(&b.Header)
}

// contents returns the rows of a block, their columns, and the version of a FILE block.
func contents(b *block.Block) (rows []row, spec []block.Column, version uint16, err error) {
	payload := b.Payload
	if b.Kind == block.File {
		var ok bool
		if version, payload, ok = block.ParseFile(payload); !ok {
			return nil, nil, 0, errors.New("it does not begin as FILE blocks do")
		}
	}
	columns, err := column.Parse(payload)
	if err != nil {
		return nil, nil, 0, err
	}
	if _, ok := b.Kind.Columns(); !ok {
		return nil, nil, 0, errors.New("its kind is unknown")
	}
	rows, spec, err = rowsOf(b.Kind, int(b.Rows), columns)
	return rows, spec, version, err
}

// head writes the block's name and the attributes that Build could not derive.
func (d *dumper) head(b *block.Block, rows []row) {
	if _, ok := b.Kind.Columns(); ok {
		fmt.Fprint(d.w, b.Kind)
	} else {
		fmt.Fprintf(d.w, "KIND kind=%d", b.Kind)
	}
	if b.First != 0 {
		fmt.Fprintf(d.w, " first=%d", b.First)
	}
	if tmin, tmax := timeRange(b.Kind, rows); b.TimeMin != tmin || b.TimeMax != tmax {
		fmt.Fprintf(d.w, " tmin=%d tmax=%d", b.TimeMin, b.TimeMax)
	}
	if b.Flags != 0 {
		fmt.Fprintf(d.w, " flags=%d", b.Flags)
	}
	part, segment := d.place.Stamps(b.Kind)
	if b.Part != part {
		fmt.Fprintf(d.w, " part=%d", b.Part)
	}
	if b.Segment != segment {
		fmt.Fprintf(d.w, " segment=%d", b.Segment)
	}
}

// timeRange returns the time range of a block of hits, 0 for other kinds.
func timeRange(k block.Kind, rows []row) (tmin, tmax uint64) {
	if k != block.Hits {
		return 0, 0
	}
	for i, r := range rows {
		t := uint64(0)
		if v := r.numbers[block.HitTime]; len(v) > 0 {
			t = v[0]
		}
		if i == 0 || t < tmin {
			tmin = t
		}
		tmax = max(tmax, t)
	}
	return tmin, tmax
}

func (d *dumper) row(r row, spec []block.Column) {
	sep := "\t"
	for i, s := range spec {
		switch v := r.numbers[s.ID]; {
		case s.Lengths:
			continue
		case s.Text:
			fmt.Fprintf(d.w, "%s%s=%q", sep, s.Name, r.texts[s.ID])
		case s.List != 0:
			if len(v) == 0 && i+1 < len(spec) {
				continue
			}
			fmt.Fprintf(d.w, "%s%s=%d", sep, s.Name, v)
		case v[0] != 0 || i == 0:
			fmt.Fprintf(d.w, "%s%s=%d", sep, s.Name, v[0])
		default:
			continue
		}
		sep = " "
	}
	fmt.Fprintln(d.w)
}
