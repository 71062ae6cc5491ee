package unwind

import (
	"io"
	"sync/atomic"
)

// The unit of reading, and the maximum size of a section or segment, in bytes.
const (
	chunkSize   = 16 << 10
	maxChunks   = maxSection / chunkSize
	maxSection  = 1 << 30
	maxFileSize = 1 << 62
)

// A section is a section or segment of an image. It is read in chunks on first use, which
// stay in memory.
type section struct {
	addr   uint64 // virtual address of the first byte, as linked
	size   uint64
	r      io.ReaderAt
	offset uint64 // in r
	chunks []atomic.Pointer[[]byte]
}

// newSection returns a section of r, cut to maxSection bytes.
func newSection(r io.ReaderAt, offset, addr, size uint64) *section {
	if offset > maxFileSize {
		size = 0
	}
	size = min(size, maxSection)
	return &section{addr: addr, size: size, r: r, offset: offset,
		chunks: make([]atomic.Pointer[[]byte], (size+chunkSize-1)/chunkSize)}
}

// chunk returns the bytes of one chunk. It is shorter at the end of a truncated file.
func (s *section) chunk(n uint64) []byte {
	if b := s.chunks[n].Load(); b != nil {
		return *b
	}
	b := make([]byte, min(chunkSize, s.size-n*chunkSize))
	k, _ := s.r.ReadAt(b, int64(s.offset+n*chunkSize))
	b = b[:max(k, 0)]
	s.chunks[n].Store(&b)
	return b
}

// bytes returns n bytes at an offset, or nil if there are fewer.
func (s *section) bytes(at, n uint64) []byte {
	if at > s.size || n > s.size-at || n == 0 {
		return nil
	}
	b := s.chunk(at / chunkSize)
	if skip := at % chunkSize; skip+n <= chunkSize {
		if skip+n > uint64(len(b)) {
			return nil
		}
		return b[skip : skip+n]
	}
	// Check that the last byte exists before allocating memory for all.
	if last := at + n - 1; uint64(len(s.chunk(last/chunkSize))) <= last%chunkSize {
		return nil
	}
	joined := make([]byte, 0, n)
	for uint64(len(joined)) < n {
		next := at + uint64(len(joined))
		b := s.chunk(next / chunkSize)
		if uint64(len(b)) <= next%chunkSize {
			return nil
		}
		b = b[next%chunkSize:]
		joined = append(joined, b[:min(uint64(len(b)), n-uint64(len(joined)))]...)
	}
	return joined
}
