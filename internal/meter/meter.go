// Package meter counts the memory used by tables.
package meter

import (
	"sync/atomic"
	"unsafe"
)

// A Meter counts the memory used by the tables of an image. The zero value is ready to use,
// and safe for concurrent use.
type Meter struct{ bytes atomic.Int64 }

// Add adds a number of bytes.
func (m *Meter) Add(bytes int) { m.bytes.Add(int64(bytes)) }

// Bytes returns the number of bytes counted so far.
func (m *Meter) Bytes() int64 { return m.bytes.Load() }

// AddSlice adds the memory of a slice, without what its elements point to.
func AddSlice[T any](m *Meter, s []T) {
	var element T
	m.Add(cap(s) * int(unsafe.Sizeof(element)))
}
