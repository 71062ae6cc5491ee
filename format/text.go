package format

import (
	"fmt"
	"slices"
	"strconv"
)

// The text twin of a capture. A block is a line with the name of its kind and
// attributes, then a line for each row, indented by a tab:
//
//	HITS first=1
//		time=1000 cpu=1 task=1 probe=1 arg0=42
//
// Attributes that follow from the rest are left out: rows, the time range of
// hits, checksums. Values are decimal, or quoted, or lists in brackets; those
// that are 0 may be left out. A block that cannot be told by its rows has its
// payload in hexadecimal. Lines of # are comments, and RAW lines are bytes
// between blocks. Nothing is checked when text is built into a capture, and any
// attribute may be set, so that damaged captures can be written down.

// A textRow is the values of one row by column ID. Columns of one value have a
// list of one.
type textRow struct {
	numbers map[uint16][]uint64
	texts   map[uint16]string
}

// columnsOf returns the columns that a block may have: those of its kind, and for
// hits those of the arguments that it has.
func columnsOf(k kind, args int) []columnSpec {
	out := slices.Clone(specs[k].columns)
	if k == kindHits {
		for i := range args {
			out = append(out, columnSpec{id: hitArg + 2*uint16(i), name: "arg" + strconv.Itoa(i)})
		}
	}
	return out
}

// known reports whether every column has its place in the columns of the kind, so
// that rows tell all that the block holds.
func known(k kind, columns []column) (args int, ok bool) {
	for _, c := range columns {
		id := c.id &^ tableColumn
		if k == kindHits && id >= hitArg {
			args = int(id-hitArg)/2 + 1
			continue
		}
		if !slices.ContainsFunc(specs[k].columns, func(s columnSpec) bool { return s.id == id }) {
			return 0, false
		}
	}
	return args, args <= MaxColumns
}

// maxTextRows bounds what is taken apart into rows; it is well above what a Writer
// puts into a block.
const maxTextRows = 1 << 18

// rowsOf decodes the rows of a block.
func rowsOf(k kind, rows int, columns []column) ([]textRow, []columnSpec, error) {
	args, ok := known(k, columns)
	if !ok {
		return nil, nil, fmt.Errorf("there are unknown columns")
	}
	if rows > maxTextRows || rows*args > MaxValues {
		return nil, nil, fmt.Errorf("there are too many rows for text: %d", rows)
	}
	spec := columnsOf(k, args)
	out := make([]textRow, rows)
	for i := range out {
		out[i] = textRow{map[uint16][]uint64{}, map[uint16]string{}}
	}
	sizes := map[uint16][]uint64{}
	total := map[uint16]int{}
	for _, s := range spec {
		var err error
		switch {
		case s.lengths:
			sizes[s.id], total[s.id], err = lengths(columns, rows, s.id, MaxPayload)
		case s.text:
			var list []string
			list, err = texts(columns, rows, s.list, s.id)
			for i, t := range list {
				out[i].texts[s.id] = t
			}
		default:
			count := rows
			if s.list != 0 {
				count = total[s.list]
			}
			var values []uint64
			values, err = decode(nil, columns, s.id, count)
			for i := range out {
				n := 1
				if s.list != 0 && err == nil {
					n = int(sizes[s.list][i])
				}
				if err == nil {
					out[i].numbers[s.id], values = values[:n:n], values[n:]
				}
			}
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return out, spec, nil
}
