package teach

import (
	"trapline/capture/images"
	"trapline/capture/ring"
	"trapline/capture/unwind"
)

// A processFinder finds the images that a process had mapped when a stack was taken. It
// implements [unwind.Finder].
type processFinder struct {
	images *images.UserSpace
	table  func(*images.Image) *unwind.Image
	at     images.Moment
	last   ring.UserFrame             // looked up by the BPF program
	found  map[uint64]images.Location // by address
}

func newProcessFinder(user *images.UserSpace, r *ring.RawStack, table func(*images.Image) *unwind.Image) *processFinder {
	return &processFinder{images: user, table: table, at: images.Moment{PID: r.PID, Space: r.Space, Time: r.Time}, last: r.Last,
		found: make(map[uint64]images.Location)}
}

func (f *processFinder) Find(address uint64) (*unwind.Image, uint64, bool) {
	l, ok := f.locate(address)
	if !ok || l.Image == nil {
		return nil, 0, ok
	}
	return f.table(l.Image), l.Offset, true
}

func (f *processFinder) locate(address uint64) (l images.Location, ok bool) {
	if l, ok = f.found[address]; ok {
		return l, true
	}
	if off := f.last.Address - address; f.last.Known && off <= 1 {
		if l, ok = f.images.Find(f.at, f.last); ok {
			l.Offset -= off
		}
	} else {
		l, ok = f.images.Locate(f.at, address)
	}
	if ok {
		f.found[address] = l
	}
	return l, ok
}
