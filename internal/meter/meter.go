// Package meter counts the memory that tables take.
package meter

import (
	"sync/atomic"
	"unsafe"
)

// A Meter counts the bytes that the tables of an image take. The zero value is ready for
// use. Its methods may be called concurrently.
type Meter struct{ bytes atomic.Int64 }

// Add counts a number of bytes.
func (m *Meter) Add(bytes int) { m.bytes.Add(int64(bytes)) }

// Bytes returns the number of bytes counted so far.
func (m *Meter) Bytes() int64 { return m.bytes.Load() }

// AddSlice counts the elements of a slice, up to its capacity, but not what they point to.
func AddSlice[T any](m *Meter, s []T) {
	var element T
	m.Add(cap(s) * int(unsafe.Sizeof(element)))
}
