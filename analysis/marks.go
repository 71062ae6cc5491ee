package analysis

import "trapline/format"

// A markColumns holds the columns of the marks in a shape, plus 1. 0 means that the
// shape has no such marks.
type markColumns struct {
	unread, cut int
}

func findMarks(shape format.Shape) (m markColumns) {
	column := 0
	for _, f := range shape.Fields {
		switch f.Type {
		case format.FieldUnread:
			m.unread = column + 1
		case format.FieldCut:
			m.cut = column + 1
		}
		column += int(f.Count)
	}
	return m
}

func (m markColumns) any() bool { return m.unread > 0 || m.cut > 0 }

// state returns the state of the value with the given mark bit in a row.
func (m markColumns) state(columns [][]uint64, row, mark int) ValueState {
	set := func(column int) bool {
		return column > 0 && column <= len(columns) && mark < 64 && columns[column-1][row]>>mark&1 != 0
	}
	switch {
	case set(m.unread):
		return ValueUnread
	case set(m.cut):
		return ValueCut
	}
	return ValueWhole
}

// states decodes the states of all values with the given mark bit into dst[:0].
func (m markColumns) states(dst []uint64, h *format.Hits, mark int) ([]uint64, error) {
	dst = dst[:0]
	var columns [2][]uint64
	for i, column := range []int{m.unread, m.cut} {
		if column == 0 {
			continue
		}
		var err error
		if columns[i], err = h.Arg(nil, column-1); err != nil {
			return nil, err
		}
	}
	two := markColumns{}
	if m.unread > 0 {
		two.unread = 1
	}
	if m.cut > 0 {
		two.cut = 2
	}
	for row := range h.Rows {
		dst = append(dst, uint64(two.state(columns[:], row, mark)))
	}
	return dst, nil
}
