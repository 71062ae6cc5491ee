package block

import (
	"bytes"
	"errors"
	"io"
)

// A source buffers an input. It lets a caller peek ahead as far as one block.
type source struct {
	r      io.Reader
	buf    []byte
	pos    int   // of the next byte in buf
	offset int64 // of buf[0] in the input
	err    error // from r, sticky
}

// chunk is the initial size of the buffer. What a header announces is allocated only as it
// arrives.
const chunk = 64 << 10

// peek returns the next n bytes without consuming them, or fewer with an error: io.EOF at
// the end of the input.
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

// fill reads once, growing the buffer towards n bytes.
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

// skip consumes n bytes that have been peeked.
func (s *source) skip(n int) { s.pos += n }

// position returns the input offset of the next byte.
func (s *source) position() int64 { return s.offset + int64(s.pos) }

// failed returns the error of the input, nil if that is io.EOF.
func (s *source) failed() error {
	if s.err == nil || errors.Is(s.err, io.EOF) {
		return nil
	}
	return s.err
}

// empty reports whether no bytes are left.
func (s *source) empty() bool {
	b, _ := s.peek(1)
	return len(b) == 0
}

// seek moves to the next occurrence of mark. If there is none, it consumes everything and
// returns false.
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
