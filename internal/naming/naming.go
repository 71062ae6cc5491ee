// Package naming names the code of many images: (image, offset) → functions, files,
// lines and inlined calls. It opens and indexes an image once, for all frames that lie
// in it, and keeps the index for frames that come later, within bounds.
//
// Where the bytes of an image come from is up to the caller: see [Image].
package naming

import (
	"io"

	"trapline/internal/symbol"
)

// An Image is what code was loaded from. Images are compared: equal ones are the same
// image. Most are pointers.
type Image interface {
	// Open returns the image's bytes. An image that cannot be opened, or that is no ELF
	// file, has no names.
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
	Image  Image  // nil: not known
	Offset uint64 // in the image's file
	// Return says that Offset is a return address: the call before it is named.
	Return bool
}

// Back returns how many bytes before Offset the code lies that is named.
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
