// Package cursor reads numbers and strings from bytes that may be damaged. A read
// that fails returns zeros, moves to the end and sets an error that stays, so callers
// check once after several reads.
package cursor

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// What is wrong with the bytes that a [Cursor] reads.
var (
	ErrShort     = errors.New("the data ends too early")
	ErrOverflow  = errors.New("a LEB128 number has more than 64 bits")
	ErrMalformed = errors.New("the data is malformed")
)

// A Cursor reads bytes in order. The zero Cursor has nothing to read. Copies are
// independent of each other.
type Cursor struct {
	b   []byte
	pos int
	big bool // big-endian
	err error
}

// New returns a cursor at the start of b, which must not change while it is used.
func New(b []byte, order binary.ByteOrder) Cursor {
	return Cursor{b: b, big: order == binary.ByteOrder(binary.BigEndian)}
}

// Little returns a little-endian cursor at the start of b.
func Little(b []byte) Cursor { return Cursor{b: b} }

// Err returns the first error, nil if all reads succeeded.
func (c *Cursor) Err() error { return c.err }

// OK reports whether all reads succeeded.
func (c *Cursor) OK() bool { return c.err == nil }

// Fail records that what was read makes no sense, as [ErrMalformed], and moves to the end.
func (c *Cursor) Fail() { c.fail(ErrMalformed) }

func (c *Cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.pos = len(c.b)
}

// Len returns the number of bytes left.
func (c *Cursor) Len() int { return len(c.b) - c.pos }

// Pos returns the number of bytes before the cursor.
func (c *Cursor) Pos() int { return c.pos }

// Rest returns the bytes left without reading them.
func (c *Cursor) Rest() []byte { return c.b[c.pos:] }

// Seek moves to a position, as [Cursor.Pos] counts it.
func (c *Cursor) Seek(pos int) {
	if pos < 0 || pos > len(c.b) {
		c.fail(ErrShort)
		return
	}
	if c.err == nil {
		c.pos = pos
	}
}

// Skip passes n bytes.
func (c *Cursor) Skip(n uint64) {
	if n > uint64(len(c.b)-c.pos) {
		c.fail(ErrShort)
		return
	}
	c.pos += int(n)
}

// Bytes returns the next n bytes, not copied, or nil if there are fewer.
func (c *Cursor) Bytes(n uint64) []byte {
	if n > uint64(len(c.b)-c.pos) {
		c.fail(ErrShort)
		return nil
	}
	b := c.b[c.pos : c.pos+int(n)]
	c.pos += int(n)
	return b
}

// Sub returns a cursor over the next n bytes, in the same byte order, and passes them.
func (c *Cursor) Sub(n uint64) Cursor { return Cursor{b: c.Bytes(n), big: c.big, err: c.err} }

// CString returns the bytes before the next NUL, not copied, and passes the NUL.
func (c *Cursor) CString() []byte {
	n := bytes.IndexByte(c.b[c.pos:], 0)
	if n < 0 {
		c.fail(ErrShort)
		return nil
	}
	s := c.b[c.pos : c.pos+n]
	c.pos += n + 1
	return s
}

// U8 reads a byte.
func (c *Cursor) U8() uint8 {
	if c.pos < len(c.b) {
		c.pos++
		return c.b[c.pos-1]
	}
	c.fail(ErrShort)
	return 0
}

// U16 reads two bytes.
func (c *Cursor) U16() uint16 {
	b := c.Bytes(2)
	switch {
	case b == nil:
		return 0
	case c.big:
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

// U32 reads four bytes.
func (c *Cursor) U32() uint32 {
	b := c.Bytes(4)
	switch {
	case b == nil:
		return 0
	case c.big:
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// U64 reads eight bytes.
func (c *Cursor) U64() uint64 {
	b := c.Bytes(8)
	switch {
	case b == nil:
		return 0
	case c.big:
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

// Uint reads an unsigned number of 1 to 8 bytes. Other sizes fail.
func (c *Cursor) Uint(size int) uint64 {
	switch size {
	case 1:
		return uint64(c.U8())
	case 2:
		return uint64(c.U16())
	case 4:
		return uint64(c.U32())
	case 8:
		return c.U64()
	case 3, 5, 6, 7:
	default:
		c.Fail()
		return 0
	}
	var v uint64
	for i, x := range c.Bytes(uint64(size)) {
		if c.big {
			v = v<<8 | uint64(x)
		} else {
			v |= uint64(x) << (8 * i)
		}
	}
	return v
}
