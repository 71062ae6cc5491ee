package format

import (
	"cmp"
	"slices"
)

// The calls of symbols are stored in the order of their frames' addresses, because
// neighbors are mostly in the same function and file, on nearby lines. The frames
// themselves are listed by ID, which takes almost no space.

// A place is a frame's address and its index in a list.
type place struct {
	image  ImageID
	number uint32
	offset uint64
}

// byAddress returns the places of the frames, ordered by address.
func byAddress(frames []Frame) []place {
	order := make([]place, len(frames))
	for i, f := range frames {
		order[i] = place{f.Image, uint32(i), f.Offset}
	}
	slices.SortFunc(order, func(a, b place) int {
		switch {
		case a.image != b.image:
			return cmp.Compare(a.image, b.image)
		case a.offset != b.offset:
			return cmp.Compare(a.offset, b.offset)
		}
		return cmp.Compare(a.number, b.number)
	})
	return order
}
