package debuginfo

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"io"

	"trapline/internal/cursor"
	"trapline/internal/elffile"
	"trapline/internal/meter"
)

// maxSection is the maximum size of a section held in memory.
const maxSection = 1 << 30

// maxName is the maximum length of names in bytes.
const maxName = 64 << 10

// A Section is a debug section. It is read in pieces to save memory, but decompressed as a
// whole.
type Section struct {
	r    io.ReaderAt
	off  uint64 // in r
	size uint64
	data []byte // contents, if they were compressed
}

// OpenSection opens the section .debug_NAME or .zdebug_NAME. A missing or damaged section is
// empty. It adds the memory of a decompressed section to memory.
func OpenSection(f *elffile.File, name string, memory *meter.Meter) *Section {
	unpacked := func(b []byte) *Section {
		memory.Add(len(b))
		return &Section{data: b, size: uint64(len(b))}
	}
	if s := f.Section(".debug_" + name); s != nil {
		if s.Flags&elf.SHF_COMPRESSED == 0 {
			return &Section{r: f.R, off: s.Offset, size: s.Size}
		}
		if b, err := f.Contents(s); err == nil {
			return unpacked(b)
		}
		return new(Section)
	}
	if s := f.Section(".zdebug_" + name); s != nil {
		if b, err := f.Contents(s); err == nil {
			if b, err = unpackOld(b); err == nil {
				return unpacked(b)
			}
		}
	}
	return new(Section)
}

// Size returns the decompressed size in bytes.
func (s *Section) Size() uint64 { return s.size }

// unpackOld decompresses the format before SHF_COMPRESSED: "ZLIB", the size as a big-endian
// number, a zlib stream.
func unpackOld(b []byte) ([]byte, error) {
	if len(b) < 12 || string(b[:4]) != "ZLIB" {
		return nil, io.ErrUnexpectedEOF
	}
	size := binary.BigEndian.Uint64(b[4:])
	if size > maxSection || size > 1<<20+64*uint64(len(b)) {
		return nil, io.ErrUnexpectedEOF
	}
	z, err := zlib.NewReader(bytes.NewReader(b[12:]))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, int64(size)))
}

// All returns the contents of a section.
func (s *Section) All() ([]byte, error) {
	if s.data != nil || s.size == 0 {
		return s.data, nil
	}
	return elffile.ReadRange(s.r, s.off, s.size)
}

// window returns n bytes from off, or fewer at the end of the section.
func (s *Section) window(off, n uint64) []byte {
	if off >= s.size {
		return nil
	}
	n = min(n, s.size-off)
	if s.data != nil {
		return s.data[off : off+n]
	}
	b, err := elffile.ReadRange(s.r, s.off+off, n)
	if err != nil {
		return nil
	}
	return b
}

// cstring returns the string at off, or "".
func (s *Section) cstring(off uint64) string {
	for n := uint64(128); ; n *= 8 {
		b := s.window(off, n)
		if end := bytes.IndexByte(b, 0); end >= 0 {
			return string(b[:end])
		}
		if uint64(len(b)) < n || n > maxName {
			return ""
		}
	}
}

// A scanner reads a section mostly sequentially through a buffer. It is not safe for
// concurrent use.
type scanner struct {
	s     *Section
	step  uint64 // bytes to read at a time
	base  uint64
	buf   []byte
	order binary.ByteOrder
}

// maxEntry is the maximum size of an entry or list in bytes.
const maxEntry = 16 << 20

// read calls parse with a cursor at off. If parse reaches the end of the buffer, read calls
// it again with more bytes, so parse must reset its results.
func (r *scanner) read(off uint64, parse func(c *cursor.Cursor)) bool {
	if off >= r.base && off-r.base < uint64(len(r.buf)) {
		c := cursor.New(r.buf, r.order)
		c.Seek(int(off - r.base))
		if parse(&c); c.OK() {
			return true
		}
	}
	for n := r.step; n <= maxEntry; n *= 8 {
		r.base, r.buf = off, r.s.window(off, n)
		c := cursor.New(r.buf, r.order)
		if parse(&c); c.OK() {
			return true
		}
		if uint64(len(r.buf)) < n {
			break
		}
	}
	return false
}
