package symbol

import (
	"debug/elf"
	"fmt"
	"io"

	"trapline/internal/elffile"
	"trapline/internal/meter"
)

// An object is an open ELF file: an image or its separate debug file.
type object struct {
	r    io.ReaderAt
	file *elffile.File
	path string // of a debug file

	memory *meter.Meter // of the image, its debug files included
}

func newObject(r io.ReaderAt, memory *meter.Meter) (*object, error) {
	f, err := elffile.Open(r)
	if err != nil {
		return nil, err
	}
	meter.AddSlice(memory, f.Sections)
	return &object{r: f.R, file: f, memory: memory}, nil
}

// section returns the section of a name that has contents in the file, or nil.
func (o *object) section(name string) *elf.Section { return o.file.Section(name) }

// contents returns the decompressed bytes of a section.
func (o *object) contents(s *elf.Section) ([]byte, error) { return o.file.Contents(s) }

// segmentBytes reads n bytes at a virtual address.
func (o *object) segmentBytes(vaddr, n uint64) ([]byte, error) {
	for _, p := range o.file.Progs {
		if p.Type == elf.PT_LOAD && vaddr >= p.Vaddr && vaddr-p.Vaddr < p.Filesz && n <= p.Filesz-(vaddr-p.Vaddr) {
			return elffile.ReadRange(o.r, p.Off+(vaddr-p.Vaddr), n)
		}
	}
	return nil, fmt.Errorf("no segment holds %d bytes at %#x", n, vaddr)
}
