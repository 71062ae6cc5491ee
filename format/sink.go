package format

import (
	"io"
	"sync/atomic"
)

// A sink receives the bytes of a Writer. Its counters may be read by any goroutine.
type sink struct {
	w      io.Writer
	bytes  atomic.Uint64
	blocks atomic.Uint64
	failed atomic.Pointer[error] // the first error, sticky
}

// write writes one block, unless an earlier one failed.
func (s *sink) write(data []byte) error {
	if err := s.err(); err != nil {
		return err
	}
	n, err := s.w.Write(data)
	s.bytes.Add(uint64(n))
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	if err == nil {
		s.blocks.Add(1)
	}
	return err
}

func (s *sink) err() error {
	if p := s.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// fail records an error. Nothing is written after it.
func (s *sink) fail(err error) { s.failed.CompareAndSwap(nil, &err) }
