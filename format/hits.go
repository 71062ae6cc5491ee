package format

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// errCounted is a mistake of the caller, which used NewAccountReader.
var errCounted = errors.New("hits were counted but not read, so they have no columns")

// Hits is a block of hits of one shape, grouped by CPU. Each CPU's hits are in the order
// in which they were recorded, which is roughly that of time. Columns are decoded on
// demand. A Hits owns its bytes: it may be kept, and read by several goroutines.
type Hits struct {
	Shape            ShapeID
	Rows             int
	TimeMin, TimeMax uint64 // ns of the part's clock
	Segment          *Segment

	offset  int64
	columns column.Set
	counted bool // by an account reader: columns is unset
}

// Time decodes the times, in ns of the part's clock, into dst[:0], grown as needed.
func (h *Hits) Time(dst []uint64) ([]uint64, error) { return h.column64(dst, block.HitTime) }

// CPU decodes the CPUs into dst[:0], grown as needed, as do the methods below. A column
// that was not recorded is all zero.
func (h *Hits) CPU(dst []uint32) ([]uint32, error) { return h.column32(dst, block.HitCPU) }

// Task decodes the [TaskID] of each hit.
func (h *Hits) Task(dst []uint32) ([]uint32, error) { return h.column32(dst, block.HitTask) }

// Probe decodes the [ProbeID] of each hit.
func (h *Hits) Probe(dst []uint32) ([]uint32, error) { return h.column32(dst, block.HitProbe) }

// KernelStack decodes the [StackID] of each hit's kernel stack.
func (h *Hits) KernelStack(dst []uint32) ([]uint32, error) {
	return h.column32(dst, block.HitKernelStack)
}

// UserStack decodes the [StackID] of each hit's user stack.
func (h *Hits) UserStack(dst []uint32) ([]uint32, error) { return h.column32(dst, block.HitUserStack) }

// Arg decodes an argument column. index counts from 0 over the columns of all fields of
// the shape, as [Shape.Columns] does.
func (h *Hits) Arg(dst []uint64, index int) ([]uint64, error) {
	if index < 0 || index >= MaxColumns {
		return nil, fmt.Errorf("argument column %d: a shape has at most %d", index, MaxColumns)
	}
	return h.column64(dst, block.HitColumn(block.HitFixed+index))
}

func (h *Hits) column64(dst []uint64, id uint16) ([]uint64, error) {
	if h.counted {
		return nil, errCounted
	}
	dst, err := h.columns.Numbers(dst, id, h.Rows)
	if err != nil {
		return nil, &CorruptError{Offset: h.offset, Reason: "hits cannot be decoded", Err: err}
	}
	return dst, nil
}

// wideValues holds buffers, so decoding into a large enough slice does not allocate.
var wideValues = sync.Pool{New: func() any { return new([]uint64) }}

func (h *Hits) column32(dst []uint32, id uint16) ([]uint32, error) {
	p := wideValues.Get().(*[]uint64)
	defer wideValues.Put(p)
	wide, err := h.column64(*p, id)
	if err != nil {
		return nil, err
	}
	*p = wide
	dst = slices.Grow(dst[:0], len(wide))[:len(wide)]
	all := uint64(0)
	for i, v := range wide {
		all |= v
		dst[i] = uint32(v)
	}
	if all > max32 {
		return nil, &CorruptError{Offset: h.offset, Reason: fmt.Sprintf("column %d of hits holds more than 32 bits", id)}
	}
	return dst, nil
}
