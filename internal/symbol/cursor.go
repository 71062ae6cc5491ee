package symbol

import (
	"bytes"
	"encoding/binary"
)

// A cursor reads numbers from bytes. Past the end it returns zeros and is bad.
type cursor struct {
	b   []byte
	pos int
	big bool
	bad bool
}

// take returns the next n bytes, or nil past the end.
func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b)-c.pos {
		c.bad = true
		c.pos = len(c.b)
		return nil
	}
	b := c.b[c.pos : c.pos+n]
	c.pos += n
	return b
}

func (c *cursor) skip(n uint64) {
	if n > uint64(len(c.b)-c.pos) {
		c.bad = true
		c.pos = len(c.b)
		return
	}
	c.pos += int(n)
}

func (c *cursor) order() binary.ByteOrder {
	if c.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (c *cursor) u8() uint8 {
	if c.pos < len(c.b) {
		c.pos++
		return c.b[c.pos-1]
	}
	c.bad = true
	return 0
}

// uint reads an unsigned integer of 1, 2, 3, 4 or 8 bytes.
func (c *cursor) uint(size int) uint64 {
	b := c.take(size)
	if b == nil {
		return 0
	}
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(c.order().Uint16(b))
	case 4:
		return uint64(c.order().Uint32(b))
	case 8:
		return c.order().Uint64(b)
	case 3:
		if c.big {
			return uint64(b[0])<<16 | uint64(b[1])<<8 | uint64(b[2])
		}
		return uint64(b[2])<<16 | uint64(b[1])<<8 | uint64(b[0])
	}
	c.bad = true
	return 0
}

func (c *cursor) uleb() uint64 {
	if c.pos < len(c.b) && c.b[c.pos] < 0x80 {
		c.pos++
		return uint64(c.b[c.pos-1])
	}
	var v uint64
	for shift := uint(0); ; shift += 7 {
		b := c.u8()
		if shift < 64 {
			v |= uint64(b&0x7f) << shift
		}
		if b < 0x80 {
			return v
		}
	}
}

func (c *cursor) sleb() int64 {
	var v int64
	for shift := uint(0); ; {
		b := c.u8()
		if shift < 64 {
			v |= int64(b&0x7f) << shift
		}
		shift += 7
		if b < 0x80 {
			if b&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v
		}
	}
}

// cstring reads up to a NUL, which it passes.
func (c *cursor) cstring() []byte {
	n := bytes.IndexByte(c.b[c.pos:], 0)
	if n < 0 {
		c.bad = true
		c.pos = len(c.b)
		return nil
	}
	s := c.b[c.pos : c.pos+n]
	c.pos += n + 1
	return s
}
