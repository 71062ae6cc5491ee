package text

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// A row holds the values of one row by column ID. A single value is a list of one.
type row struct {
	numbers map[uint16][]uint64
	texts   map[uint16]string
}

// columnsOf returns the columns that a block may have: those of its kind and, for hits,
// those of args arguments.
func columnsOf(k block.Kind, args int) []block.Column {
	known, _ := k.Columns()
	out := slices.Clone(known)
	if k == block.Hits {
		for i := range args {
			out = append(out, argument(i))
		}
	}
	return out
}

// argument describes the i-th argument column of hits.
func argument(i int) block.Column {
	return block.Column{ID: block.HitArg + 2*uint16(i), Name: "arg" + strconv.Itoa(i)}
}

// known reports whether the kind has every column of a block, so that rows can express the
// whole block. args is the number of argument columns.
func known(k block.Kind, columns column.Set) (args int, ok bool) {
	known, _ := k.Columns()
	for _, id := range columns.IDs() {
		id &^= column.TableColumn
		if k == block.Hits && id >= block.HitArg {
			args = int(id-block.HitArg)/2 + 1
			continue
		}
		if !slices.ContainsFunc(known, func(c block.Column) bool { return c.ID == id }) {
			return 0, false
		}
	}
	return args, args <= column.MaxColumns
}

// maxTextRows is the maximum number of rows to decode. It is well above what a Writer puts
// into a block.
const maxTextRows = 1 << 18

// rowsOf decodes the rows of a block, and returns their columns.
func rowsOf(k block.Kind, rows int, columns column.Set) ([]row, []block.Column, error) {
	args, ok := known(k, columns)
	if !ok {
		return nil, nil, errors.New("it has unknown columns")
	}
	if rows > maxTextRows || rows*args > column.MaxValues {
		return nil, nil, fmt.Errorf("it has %d rows, too many for text", rows)
	}
	spec := columnsOf(k, args)
	out := make([]row, rows)
	for i := range out {
		out[i] = row{map[uint16][]uint64{}, map[uint16]string{}}
	}
	sizes := map[uint16][]uint64{}
	total := map[uint16]int{}
	for _, s := range spec {
		var err error
		switch {
		case s.Lengths:
			sizes[s.ID], total[s.ID], err = columns.Lengths(rows, s.ID, column.MaxBytes)
		case s.Text:
			var list []string
			list, err = columns.Texts(rows, s.List, s.ID)
			for i, t := range list {
				out[i].texts[s.ID] = t
			}
		default:
			count := rows
			if s.List != 0 {
				count = total[s.List]
			}
			var values []uint64
			values, err = columns.Numbers(nil, s.ID, count)
			for i := range out {
				n := 1
				if s.List != 0 && err == nil {
					n = int(sizes[s.List][i])
				}
				if err == nil {
					out[i].numbers[s.ID], values = values[:n:n], values[n:]
				}
			}
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return out, spec, nil
}
