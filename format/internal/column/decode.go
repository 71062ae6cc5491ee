package column

import (
	"fmt"
	"slices"
	"sync"
)

// Numbers decodes the values of a column into dst[:0], grown as needed. count is the number
// of values that the column must have. A missing column is all zero.
func (s Set) Numbers(dst []uint64, id uint16, count int) ([]uint64, error) {
	return s.numbers(dst, id, count, maxContexts)
}

// numbers is Numbers with a limit on the chain of contexts.
func (s Set) numbers(dst []uint64, id uint16, count, contexts int) ([]uint64, error) {
	c := s.find(id, count)
	if c.count != count || count > MaxValues {
		return nil, fmt.Errorf("column %d has %d values instead of %d", id, c.count, count)
	}
	dst = slices.Grow(dst[:0], count)[:count]
	if err := c.join(dst); err != nil {
		return nil, fmt.Errorf("column %d: %w", id, err)
	}
	if c.context != 0 {
		if contexts == 0 || c.transform == Delta {
			return nil, fmt.Errorf("column %d must not have a context", id)
		}
		if err := s.restore(dst, c.context, contexts-1); err != nil {
			return nil, err
		}
	}
	if c.unit > 1 && c.transform == Plain {
		for i := range dst {
			dst[i] *= c.unit
		}
	}
	switch c.transform {
	case Plain:
		if c.base != 0 {
			for i := range dst {
				dst[i] += c.base
			}
		}
	case Delta:
		v := c.base
		for i, z := range dst {
			v += unzigzag(z) * c.unit
			dst[i] = v
		}
	case Table:
		if id&TableColumn != 0 {
			return nil, fmt.Errorf("column %d is a table and must not have a table", id)
		}
		return dst, s.lookUp(dst, id|TableColumn)
	default:
		return nil, fmt.Errorf("column %d has the unknown transform %d", id, c.transform)
	}
	return dst, nil
}

// restore undoes the prediction of values by the column context.
func (s Set) restore(values []uint64, context uint16, contexts int) error {
	p := scratch.Get().(*[]uint64)
	defer scratch.Put(p)
	by, err := s.numbers(*p, context&^ContextBefore, len(values), contexts)
	if err != nil {
		return err
	}
	*p = by
	if context&ContextBefore != 0 && len(by) > 0 {
		copy(by[1:], by)
		by[0] = 0
	}
	var expected predictor
	expected.restore(values, by)
	return nil
}

// lookUp replaces positions by values of the column table.
func (s Set) lookUp(positions []uint64, table uint16) error {
	n := s.find(table, 0).count
	if n > len(positions) {
		return fmt.Errorf("column %d has %d values for %d rows", table, n, len(positions))
	}
	p := scratch.Get().(*[]uint64)
	defer scratch.Put(p)
	values, err := s.numbers(*p, table, n, 0)
	if err != nil {
		return err
	}
	*p = values
	for i, at := range positions {
		if at >= uint64(len(values)) {
			return fmt.Errorf("position %d is not in column %d", at, table)
		}
		positions[i] = values[at]
	}
	return nil
}

// scratch holds buffers of values, so decoding a column into a large enough slice does not
// allocate.
var scratch = sync.Pool{New: func() any { return new([]uint64) }}

// scratchBytes holds buffers of planes.
var scratchBytes = sync.Pool{New: func() any { return new([]byte) }}

// join sets dst to the numbers that the column's planes hold.
func (c *stored) join(dst []uint64) error {
	if c.tokens && c.width > 0 {
		return c.joinTokens(dst)
	}
	var planes [8][]byte
	p := scratchBytes.Get().(*[]byte)
	defer scratchBytes.Put(p)
	*p = slices.Grow((*p)[:0], c.scratch())
	room := *p
	for k := range c.width {
		data, err := c.planes[k].bytes(len(dst), room)
		if err != nil {
			return err
		}
		if c.planes[k].compressed {
			room = room[len(dst):cap(room)]
		}
		planes[k] = data
	}
	joinPlanes(dst, planes[:c.width])
	return nil
}

func (c *stored) joinTokens(dst []uint64) error {
	p := scratchBytes.Get().(*[]byte)
	defer scratchBytes.Put(p)
	*p = slices.Grow((*p)[:0], len(dst))
	tokens, err := c.planes[0].bytes(len(dst), *p)
	if err != nil {
		return err
	}
	return joinTokens(dst, tokens, c.planes[1].data)
}

// scratch returns the total length of the compressed planes once decompressed.
func (c *stored) scratch() int {
	n := 0
	for _, p := range c.planes[:c.width] {
		if p.compressed {
			n += c.count
		}
	}
	return n
}
