package capture

// A location is a code address as the capture names it: independent of where the image was loaded.
type location struct {
	image  *image // nil: not known, offset is the address
	offset uint64
}
