package cursor_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"testing"

	"trapline/internal/cursor"
)

func TestNumbers(t *testing.T) {
	data := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	c := cursor.Little(data)
	if a, b, d, e := c.U8(), c.U16(), c.U32(), c.U64(); a != 1 || b != 0x0302 || d != 0x07060504 || e != 0x0f0e0d0c0b0a0908 || !c.OK() || c.Len() != 0 {
		t.Errorf("little-endian: %#x %#x %#x %#x, %v", a, b, d, e, c.Err())
	}
	c = cursor.New(data, binary.BigEndian)
	if a, b, d, e := c.U8(), c.U16(), c.U32(), c.U64(); a != 1 || b != 0x0203 || d != 0x04050607 || e != 0x08090a0b0c0d0e0f || !c.OK() {
		t.Errorf("big-endian: %#x %#x %#x %#x, %v", a, b, d, e, c.Err())
	}
	for size, want := range map[int]uint64{1: 1, 2: 0x201, 3: 0x30201, 4: 0x4030201, 8: 0x0807060504030201} {
		c := cursor.New(data, binary.LittleEndian)
		if got := c.Uint(size); got != want || c.Pos() != size {
			t.Errorf("%d bytes: %#x, want %#x", size, got, want)
		}
	}
	c = cursor.New(data, binary.BigEndian)
	if got := c.Uint(3); got != 0x010203 {
		t.Errorf("3 bytes big-endian: %#x", got)
	}
	for _, size := range []int{-1, 0, 9} {
		c := cursor.Little(data)
		if c.Uint(size) != 0 || !errors.Is(c.Err(), cursor.ErrMalformed) {
			t.Errorf("%d bytes: error %v", size, c.Err())
		}
	}
}

// A cursor over a part stops at its end and keeps the byte order.
func TestSub(t *testing.T) {
	c := cursor.New([]byte{1, 2, 3, 4, 5}, binary.BigEndian)
	part := c.Sub(3)
	if v := part.U16(); v != 0x0102 || c.Pos() != 3 {
		t.Errorf("%#x, then at %d", v, c.Pos())
	}
	if part.U16(); part.OK() || !c.OK() {
		t.Errorf("errors %v and %v", part.Err(), c.Err())
	}
	if part = c.Sub(3); part.OK() || c.OK() {
		t.Error("a part past the end succeeds")
	}
}

func TestStrings(t *testing.T) {
	c := cursor.Little([]byte("name\x00\x02ab\x00rest"))
	if s := c.CString(); string(s) != "name" {
		t.Errorf("string %q", s)
	}
	if b := c.Block(); string(b) != "ab" {
		t.Errorf("block %q", b)
	}
	if s := c.CString(); s == nil || len(s) != 0 {
		t.Errorf("empty string is %q", s)
	}
	if c.Pos() != 9 || c.Len() != 4 || string(c.Rest()) != "rest" || !c.OK() {
		t.Errorf("at %d, %d left, %v", c.Pos(), c.Len(), c.Err())
	}
	if s := c.CString(); s != nil || !errors.Is(c.Err(), cursor.ErrShort) {
		t.Errorf("a string without NUL is %q, error %v", s, c.Err())
	}
}

// Every read past the end returns zeros and fails, and so does every later read.
func TestErrorsStay(t *testing.T) {
	for name, read := range map[string]func(c *cursor.Cursor) bool{
		"U8":      func(c *cursor.Cursor) bool { c.Skip(3); return c.U8() == 0 },
		"U16":     func(c *cursor.Cursor) bool { c.Skip(2); return c.U16() == 0 },
		"U32":     func(c *cursor.Cursor) bool { return c.U32() == 0 },
		"U64":     func(c *cursor.Cursor) bool { return c.U64() == 0 },
		"Uint":    func(c *cursor.Cursor) bool { return c.Uint(4) == 0 },
		"Bytes":   func(c *cursor.Cursor) bool { return c.Bytes(math.MaxUint64) == nil },
		"Skip":    func(c *cursor.Cursor) bool { c.Skip(math.MaxUint64); return true },
		"Seek":    func(c *cursor.Cursor) bool { c.Seek(4); return true },
		"Seek -1": func(c *cursor.Cursor) bool { c.Seek(-1); return true },
		"Block":   func(c *cursor.Cursor) bool { return c.Block() == nil },
		"CString": func(c *cursor.Cursor) bool { return c.CString() == nil },
		"Fail":    func(c *cursor.Cursor) bool { c.Fail(); return true },
	} {
		c := cursor.Little([]byte{3, 1, 1})
		if !read(&c) || c.OK() || c.Len() != 0 {
			t.Errorf("%s past the end: error %v, %d bytes left", name, c.Err(), c.Len())
		}
		first := c.Err()
		c.Seek(0)
		if c.U8() != 0 || c.Uleb() != 0 || c.Sleb() != 0 || c.Bytes(1) != nil || c.Err() != first {
			t.Errorf("%s: the error does not stay: %v", name, c.Err())
		}
	}
}

func TestLEB128(t *testing.T) {
	const more = 0x80
	for _, test := range []struct {
		bytes    []byte
		unsigned uint64
		uErr     error
		signed   int64
		sErr     error
	}{
		{bytes: []byte{0}, unsigned: 0, signed: 0},
		{bytes: []byte{2}, unsigned: 2, signed: 2},
		{bytes: []byte{0x7f}, unsigned: 127, signed: -1},
		{bytes: []byte{0x80 | more, 1}, unsigned: 128, signed: 128},
		{bytes: []byte{0x39 | more, 0x64}, unsigned: 12857, signed: -3527}, // DWARF 5, table 7.7 and appendix C
		{bytes: []byte{0x7f | more, 0x7e}, unsigned: 0x3f7f, signed: -129},
		// Overlong encodings, with redundant bytes.
		{bytes: []byte{2 | more, more, more, 0}, unsigned: 2, signed: 2},
		{bytes: bytes.Join([][]byte{{0x42 | more}, bytes.Repeat([]byte{more}, 20), {0}}, nil), unsigned: 0x42, signed: 0x42},
		{bytes: bytes.Join([][]byte{{0x7e | more}, bytes.Repeat([]byte{0xff}, 20), {0x7f}}, nil), uErr: cursor.ErrOverflow, signed: -2},
		// 64 bits or more.
		{bytes: append(bytes.Repeat([]byte{0xff}, 9), 1), unsigned: math.MaxUint64, sErr: cursor.ErrOverflow},
		{bytes: append(bytes.Repeat([]byte{0xff}, 9), 2), uErr: cursor.ErrOverflow, sErr: cursor.ErrOverflow},
		{bytes: append(bytes.Repeat([]byte{0xff}, 9), 0), unsigned: math.MaxInt64, signed: math.MaxInt64},
		{bytes: append(bytes.Repeat([]byte{more}, 9), 0x7f), uErr: cursor.ErrOverflow, signed: math.MinInt64},
		{bytes: append(bytes.Repeat([]byte{more}, 10), 1), uErr: cursor.ErrOverflow, sErr: cursor.ErrOverflow},
		// Truncated encodings.
		{bytes: nil, uErr: cursor.ErrShort, sErr: cursor.ErrShort},
		{bytes: []byte{0x81}, uErr: cursor.ErrShort, sErr: cursor.ErrShort},
		{bytes: bytes.Repeat([]byte{more}, 30), uErr: cursor.ErrShort, sErr: cursor.ErrShort},
	} {
		c := cursor.Little(test.bytes)
		if got := c.Uleb(); got != test.unsigned || c.Err() != test.uErr || c.Len() != 0 {
			t.Errorf("% x is %d unsigned, error %v, %d bytes left; want %d, %v", test.bytes, got, c.Err(), c.Len(), test.unsigned, test.uErr)
		}
		c = cursor.Little(test.bytes)
		if got := c.Sleb(); got != test.signed || c.Err() != test.sErr || c.Len() != 0 {
			t.Errorf("% x is %d signed, error %v, %d bytes left; want %d, %v", test.bytes, got, c.Err(), c.Len(), test.signed, test.sErr)
		}
	}
}

// reference reads a LEB128 number of any size. It returns nil if it is truncated.
func reference(b []byte, signed bool) (*big.Int, int) {
	v := new(big.Int)
	for i, x := range b {
		group := big.NewInt(int64(x & 0x7f))
		v.Or(v, group.Lsh(group, uint(7*i)))
		if x < 0x80 {
			if signed && x&0x40 != 0 {
				v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(7*(i+1))))
			}
			return v, i + 1
		}
	}
	return nil, len(b)
}

// For all bytes, the result is the number that DWARF defines, or an error.
func FuzzLEB128(f *testing.F) {
	for _, seed := range [][]byte{{0x39 | 0x80, 0x64}, {0x80, 0x80}, append(bytes.Repeat([]byte{0xff}, 9), 1), append(bytes.Repeat([]byte{0x80}, 9), 0x7f)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		u := cursor.Little(b)
		gotU := u.Uleb()
		if want, n := reference(b, false); want != nil && want.IsUint64() {
			if !u.OK() || gotU != want.Uint64() || u.Pos() != n {
				t.Errorf("% x: Uleb returns %d (%v), want %d", b, gotU, u.Err(), want)
			}
		} else if u.OK() || gotU != 0 {
			t.Errorf("% x: Uleb returns %d, want an error", b, gotU)
		}
		s := cursor.Little(b)
		gotS := s.Sleb()
		if want, n := reference(b, true); want != nil && want.IsInt64() {
			if !s.OK() || gotS != want.Int64() || s.Pos() != n {
				t.Errorf("% x: Sleb returns %d (%v), want %d", b, gotS, s.Err(), want)
			}
		} else if s.OK() || gotS != 0 {
			t.Errorf("% x: Sleb returns %d, want an error", b, gotS)
		}
	})
}
