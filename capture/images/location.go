package images

// A Location is a code address as the capture names it: independent of where the image was loaded.
type Location struct {
	Image  *Image // nil: not known, offset is the address
	Offset uint64
}
