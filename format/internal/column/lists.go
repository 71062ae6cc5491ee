package column

import "fmt"

// bytes returns a column of count bytes, which may be part of the payload.
func (s Set) bytes(id uint16, count int) ([]byte, error) {
	c := s.find(id, count)
	switch {
	case c.count != count || count > MaxBytes:
		return nil, fmt.Errorf("column %d has %d bytes instead of %d", id, c.count, count)
	case c.width == 0 && count == 0:
		return nil, nil
	case c.width != 1 || c.tokens || c.transform != Plain || c.base != 0:
		return nil, fmt.Errorf("column %d is not a column of bytes", id)
	}
	var room []byte
	if c.planes[0].compressed {
		room = make([]byte, 0, count)
	}
	b, err := c.planes[0].bytes(count, room)
	if err != nil {
		return nil, fmt.Errorf("column %d: %w", id, err)
	}
	return b, nil
}

// Several decodes columns of count values each.
func (s Set) Several(count int, ids ...uint16) ([][]uint64, error) {
	out := make([][]uint64, len(ids))
	for i, id := range ids {
		var err error
		if out[i], err = s.Numbers(nil, id, count); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Singles decodes columns of one value each.
func (s Set) Singles(ids ...uint16) ([]uint64, error) {
	lists, err := s.Several(1, ids...)
	if err != nil {
		return nil, err
	}
	out := make([]uint64, len(ids))
	for i := range out {
		out[i] = lists[i][0]
	}
	return out, nil
}

// Lengths decodes a column of list lengths. It also returns their sum, which must not
// exceed limit.
func (s Set) Lengths(count int, id uint16, limit int) ([]uint64, int, error) {
	values, err := s.Numbers(nil, id, count)
	if err != nil {
		return nil, 0, err
	}
	sum := uint64(0)
	for _, v := range values {
		if v > uint64(limit) || sum+v > uint64(limit) {
			return nil, 0, fmt.Errorf("lists of column %d have more than %d elements", id, limit)
		}
		sum += v
	}
	return values, int(sum), nil
}

// Texts decodes count texts from a column of lengths and the column of bytes that they
// divide.
func (s Set) Texts(count int, length, text uint16) ([]string, error) {
	sizes, total, err := s.Lengths(count, length, MaxBytes)
	if err != nil {
		return nil, err
	}
	b, err := s.bytes(text, total)
	if err != nil {
		return nil, err
	}
	all := string(b) // one allocation for all texts
	out := make([]string, count)
	for i, n := range sizes {
		out[i], all = all[:n], all[n:]
	}
	return out, nil
}
