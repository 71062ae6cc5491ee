package format

import (
	"io"
	"sync/atomic"
)

// A sink is where the bytes of a Writer go. What has been written can be asked for from
// any goroutine.
type sink struct {
	w      io.Writer
	bytes  atomic.Uint64
	blocks atomic.Uint64
	failed atomic.Pointer[error] // the first error, for good
}

// write writes one block unless something has failed before.
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

// fail notes an error, after which nothing more is written.
func (s *sink) fail(err error) { s.failed.CompareAndSwap(nil, &err) }
