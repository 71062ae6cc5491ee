package images

import (
	"trapline/format"
)

// A Frame is one frame of a stack.
type Frame struct {
	Location
	Flags format.FrameFlags
}

// InKernel reports whether kernel symbols name the frame.
func (f Frame) InKernel() bool {
	if f.Image == nil {
		return false
	}
	k := f.Image.Kind
	return k == format.ImageKernel || k == format.ImageModule || k == format.ImageBPF
}

// A Location is a code address relative to its image, independent of where the image is
// loaded.
type Location struct {
	Image  *Image // nil means unknown, and Offset is the address
	Offset uint64
}
