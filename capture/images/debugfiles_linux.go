package images

import (
	"errors"
	"io"
	"sync"

	"trapline/internal/symbol"
)

// DebugFiles are the files outside an image that may contain its unwind tables. They are
// opened when they are first read, because most images need none.
type DebugFiles struct {
	image *Image
	open  func() []io.ReaderAt
	elf   *symbol.ELF // nil until opened
	done  func()
}

// maxDebugFiles is the number of files that [symbol.ELF.DebugFiles] returns at most.
const maxDebugFiles = 2

// NewDebugFiles returns the debug files of an image.
func NewDebugFiles(img *Image) *DebugFiles {
	d := &DebugFiles{image: img}
	d.open = sync.OnceValue(d.find)
	return d
}

// Readers returns readers of the files. A reader without a file fails.
func (d *DebugFiles) Readers() []io.ReaderAt {
	readers := make([]io.ReaderAt, maxDebugFiles)
	for i := range readers {
		readers[i] = debugReader{d, i}
	}
	return readers
}

func (d *DebugFiles) find() []io.ReaderAt {
	r, done := Open(d.image)
	if r == nil {
		return nil
	}
	e, err := symbol.NewELF(r, symbol.Options{Path: d.image.Path, Root: d.image.Root, Held: d.image.Debug})
	if err != nil {
		done()
		return nil
	}
	d.elf, d.done = e, done
	return e.DebugFiles()
}

// Close releases what was opened. Nothing may be reading.
func (d *DebugFiles) Close() error {
	if d.elf == nil {
		return nil
	}
	err := d.elf.Close()
	d.done()
	d.elf = nil
	return err
}

type debugReader struct {
	files *DebugFiles
	index int
}

var errNoDebugFile = errors.New("the image has no such debug file")

func (r debugReader) ReadAt(b []byte, offset int64) (int, error) {
	files := r.files.open()
	if r.index >= len(files) {
		return 0, errNoDebugFile
	}
	return files[r.index].ReadAt(b, offset)
}
