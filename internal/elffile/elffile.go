// Package elffile opens untrusted ELF files: with damaged or missing section headers, or
// with wrong sizes. It adds these checks to debug/elf.
package elffile

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxSection is the maximum size of a section held in memory.
const maxSection = 1 << 30

// A File is an opened ELF file.
type File struct {
	*elf.File
	R io.ReaderAt // the file, without its section headers if they are damaged
}

// Open reads the headers of a file.
func Open(r io.ReaderAt) (f *File, err error) {
	defer func() { // debug/elf may panic on damaged files
		if r := recover(); r != nil {
			f, err = nil, fmt.Errorf("damaged file: %v", r)
		}
	}()
	parsed, err := elf.NewFile(r)
	if err != nil {
		// Packers and memory dumps leave invalid section headers. Program headers are
		// enough.
		h, hErr := WithoutSections(r)
		if hErr != nil {
			return nil, err
		}
		if parsed, hErr = elf.NewFile(h); hErr != nil {
			return nil, err
		}
		r = h
	}
	return &File{File: parsed, R: r}, nil
}

// Section returns the section of a name that has contents in the file, or nil.
func (f *File) Section(name string) *elf.Section {
	for _, s := range f.Sections {
		if s.Name == name && s.Type != elf.SHT_NOBITS && s.Size > 0 {
			return s
		}
	}
	return nil
}

// Contents returns the decompressed bytes of a section.
func (f *File) Contents(s *elf.Section) ([]byte, error) {
	if s.Flags&elf.SHF_COMPRESSED == 0 {
		return ReadRange(f.R, s.Offset, s.Size)
	}
	// Debug information compresses three- to tenfold. Much more is a decompression bomb.
	if s.Size > maxSection || s.Size > 1<<20+64*s.FileSize {
		return nil, fmt.Errorf("section %s claims to unpack from %d to %d bytes", s.Name, s.FileSize, s.Size)
	}
	return s.Data()
}

// ReadRange reads n bytes at off. It checks that the last byte exists before it allocates
// memory.
func ReadRange(r io.ReaderAt, off, n uint64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if n > maxSection || off > 1<<62 {
		return nil, fmt.Errorf("range of %d bytes at %#x is too long", n, off)
	}
	var last [1]byte
	if k, err := r.ReadAt(last[:], int64(off+n-1)); k != 1 {
		return nil, fmt.Errorf("%d bytes at %#x reach past the end: %w", n, off, err)
	}
	b := make([]byte, n)
	if k, err := r.ReadAt(b, int64(off)); k != len(b) {
		return nil, err
	}
	return b, nil
}

// WithoutSections returns a reader of a 64-bit ELF file that hides its section headers.
func WithoutSections(r io.ReaderAt) (io.ReaderAt, error) {
	h := make([]byte, 64)
	if n, err := r.ReadAt(h, 0); n < len(h) {
		return nil, err
	}
	if !bytes.HasPrefix(h, []byte(elf.ELFMAG)) || elf.Class(h[elf.EI_CLASS]) != elf.ELFCLASS64 {
		return nil, errors.New("not a 64-bit ELF file")
	}
	binary.LittleEndian.PutUint64(h[40:], 0) // e_shoff
	binary.LittleEndian.PutUint32(h[60:], 0) // e_shnum, e_shstrndx
	return &headed{r: r, head: h}, nil
}

// headed is a reader with its first bytes replaced.
type headed struct {
	r    io.ReaderAt
	head []byte
}

func (h *headed) ReadAt(b []byte, off int64) (int, error) {
	n, err := h.r.ReadAt(b, off)
	if off >= 0 && off < int64(len(h.head)) {
		copy(b[:n], h.head[off:])
	}
	return n, err
}
