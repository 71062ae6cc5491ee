package symbol

import (
	"sync/atomic"
	"unsafe"
)

// A meter counts the memory that the tables of an image take.
type meter struct{ bytes atomic.Int64 }

func (m *meter) add(bytes int) { m.bytes.Add(int64(bytes)) }

// addSlice adds the elements of a slice, without what they point to.
func addSlice[T any](m *meter, s []T) {
	var element T
	m.add(cap(s) * int(unsafe.Sizeof(element)))
}

// Memory returns about how many bytes the tables take that were read so far. It grows
// as more of the image is asked for.
func (e *ELF) Memory() int64 { return e.memory.bytes.Load() }
