package format

import (
	"cmp"
	"slices"
)

// The calls of symbols are stored in the order of the frames' addresses: then
// neighbours are mostly of the same function and file, and their lines are near.
// The frames themselves are listed by ID, which takes next to nothing.

// A place is a frame's address and its number in a list.
type place struct {
	image  ImageID
	number uint32
	offset uint64
}

// byAddress returns where the frames are in the list, in the order of their addresses.
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
