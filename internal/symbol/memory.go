package symbol

import (
	"sync/atomic"
	"unsafe"
)

// A meter counts the memory used by the tables of an image.
type meter struct{ bytes atomic.Int64 }

func (m *meter) add(bytes int) { m.bytes.Add(int64(bytes)) }

// addSlice adds the memory of a slice, without what its elements point to.
func addSlice[T any](m *meter, s []T) {
	var element T
	m.add(cap(s) * int(unsafe.Sizeof(element)))
}

// Memory returns the approximate number of bytes of memory that tables use. It grows as more
// tables are read.
func (e *ELF) Memory() int64 { return e.memory.bytes.Load() }
