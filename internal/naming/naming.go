// Package naming names the code of many images: (image, offset) → functions, files,
// lines and inlined calls. It opens and indexes an image once for all frames in it, and
// keeps a limited number of indexes for later frames.
//
// The caller provides the bytes of an image: see [Image].
package naming

import (
	"io"

	"trapline/internal/symbol"
)

// An Image is a file or memory region that contains code. Images are compared with ==:
// equal ones are the same image. Most are pointers.
type Image interface {
	// Open returns the image's bytes. An image that cannot be opened or is not an ELF
	// file has no names.
	Open() (*Source, error)
}

// A Source is an opened image.
type Source struct {
	io.ReaderAt
	Options symbol.Options // where its debug files are
	// Intact, if set, reports whether the bytes are still those of the image. If not, its
	// frames get no names.
	Intact func() bool
	// Close, if set, releases what Open opened.
	Close func() error
}

// A Frame is a place in the code of an image.
type Frame struct {
	Image  Image  // nil if unknown
	Offset uint64 // in the image's file
	// Return means that Offset is a return address: the call before it is named.
	Return bool
}

// Back returns the distance in bytes from the named code to Offset.
func (f Frame) Back() uint64 {
	if f.Return && f.Offset > 0 {
		return 1
	}
	return 0
}

// lookup names a frame in its image.
func (f Frame) lookup(e *symbol.ELF) []symbol.Call {
	back := f.Back()
	calls := e.Lookup(f.Offset - back)
	if len(calls) > 0 {
		calls[len(calls)-1].Offset += back
	}
	return calls
}
