package analysis

import (
	"fmt"

	"trapline/format"
)

// rows is a decoded block.
type rows struct {
	time                           []uint64
	cpu, task, probe, kernel, user []uint32
	args                           [][]uint64
}

// maxValues bounds the decoded arguments of a block. Columns of equal values take
// no space in a file, so a small file could ask for any amount of memory.
const maxValues = 1 << 24

// rowColumns selects the columns to decode besides time, CPU, task and probe.
type rowColumns struct{ stacks, args bool }

func decodeRows(h *format.Hits, want rowColumns) (*rows, error) {
	var r rows
	var err error
	column := func(get func([]uint32) ([]uint32, error)) (c []uint32) {
		if err == nil {
			c, err = get(nil)
		}
		return c
	}
	r.time, err = h.Time(nil)
	r.cpu, r.task, r.probe = column(h.CPU), column(h.Task), column(h.Probe)
	if want.stacks {
		r.kernel, r.user = column(h.KernelStack), column(h.UserStack)
	}
	if !want.args {
		return &r, err
	}
	shape, _ := h.Segment.Shape(h.Shape)
	if n := shape.Columns() * h.Rows; n > maxValues {
		return nil, fmt.Errorf("block of hits has %d argument values; the maximum is %d", n, maxValues)
	}
	for i := 0; i < shape.Columns() && err == nil; i++ {
		var c []uint64
		c, err = h.Arg(nil, i)
		r.args = append(r.args, c)
	}
	return &r, err
}
