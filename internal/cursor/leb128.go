package cursor

// Uleb reads an unsigned LEB128 number (DWARF 5, section 7.6). Leading zeros are
// allowed; bits beyond the 64th are an error.
func (c *Cursor) Uleb() uint64 {
	if c.pos < len(c.b) && c.b[c.pos] < 0x80 { // most are short
		c.pos++
		return uint64(c.b[c.pos-1])
	}
	var v uint64
	for shift := uint(0); ; shift += 7 {
		b := c.U8()
		group := uint64(b & 0x7f)
		if shift >= 64 {
			shift = 64
		}
		if group<<shift>>shift != group {
			c.fail(ErrOverflow)
			return 0
		}
		v |= group << shift
		if b < 0x80 {
			return c.whole(v)
		}
	}
}

// whole returns v if the number did not end early.
func (c *Cursor) whole(v uint64) uint64 {
	if c.err != nil {
		return 0
	}
	return v
}

// Sleb reads a signed LEB128 number. Groups that repeat the sign are allowed; bits
// beyond the 64th are an error.
func (c *Cursor) Sleb() int64 {
	var v int64
	for shift := uint(0); ; shift += 7 {
		b := c.U8()
		group := int64(b&0x7f) << 57 >> 57 // extended by its sign
		switch {
		case shift < 63:
			v = v&(1<<shift-1) | group<<shift
		case shift == 63:
			// Bit 63, and six copies of it.
			if group != 0 && group != -1 {
				c.fail(ErrOverflow)
				return 0
			}
			v = v&(1<<63-1) | group<<63
		default:
			if group != v>>63 {
				c.fail(ErrOverflow)
				return 0
			}
			shift = 64
		}
		if b < 0x80 {
			return int64(c.whole(uint64(v)))
		}
	}
}

// Block reads an unsigned LEB128 length and returns as many bytes, not copied.
func (c *Cursor) Block() []byte { return c.Bytes(c.Uleb()) }
