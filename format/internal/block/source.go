package block

import (
	"bytes"
	"errors"
	"io"
)

// A source is a window on an input: bytes are looked at before they are taken,
// as far ahead as one block.
type source struct {
	r      io.Reader
	buf    []byte
	pos    int   // of the next byte in buf
	offset int64 // of buf[0] in the input
	err    error // from r, sticky
}

// chunk is how much memory is asked for at a time: what a header promises is
// allocated only as it arrives.
const chunk = 64 << 10

// peek returns the next n bytes, or fewer with the reason why: io.EOF at the end
// of input.
func (s *source) peek(n int) ([]byte, error) {
	for len(s.buf)-s.pos < n && s.err == nil {
		s.fill(n)
	}
	have := s.buf[s.pos:]
	if len(have) >= n {
		return have[:n], nil
	}
	return have, s.err
}

// fill reads once, towards n bytes in the window.
func (s *source) fill(n int) {
	if s.pos > 0 && (s.pos == len(s.buf) || cap(s.buf)-len(s.buf) < chunk/2) {
		s.offset += int64(s.pos)
		s.buf = s.buf[:copy(s.buf[:cap(s.buf)], s.buf[s.pos:])]
		s.pos = 0
	}
	if len(s.buf) == cap(s.buf) {
		larger := make([]byte, len(s.buf), max(chunk, min(2*cap(s.buf), cap(s.buf)+n)))
		copy(larger, s.buf)
		s.buf = larger
	}
	for range 100 {
		got, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+got]
		s.err = err
		if got > 0 || err != nil {
			return
		}
	}
	s.err = io.ErrNoProgress
}

// skip takes n bytes that have been looked at.
func (s *source) skip(n int) { s.pos += n }

// position returns the offset of the next byte in the input.
func (s *source) position() int64 { return s.offset + int64(s.pos) }

// failed returns the input's error unless it is its end.
func (s *source) failed() error {
	if s.err == nil || errors.Is(s.err, io.EOF) {
		return nil
	}
	return s.err
}

// empty reports whether the input has no more bytes.
func (s *source) empty() bool {
	b, _ := s.peek(1)
	return len(b) == 0
}

// seek moves to the next place where the mark is; false at the end of the input,
// where nothing is left.
func (s *source) seek(mark string) bool {
	for {
		_, err := s.peek(len(mark))
		b := s.buf[s.pos:]
		if i := bytes.Index(b, []byte(mark)); i >= 0 {
			s.skip(i)
			return true
		}
		if err != nil {
			s.skip(len(b))
			return false
		}
		s.skip(len(b) - len(mark) + 1)
	}
}
