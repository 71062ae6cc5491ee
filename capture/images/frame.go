package images

import (
	"trapline/format"
)

type Frame struct {
	Location
	Flags format.FrameFlags
}

// InKernel reports whether the frame is named by the kernel's symbols.
func (f Frame) InKernel() bool {
	if f.Image == nil {
		return false
	}
	k := f.Image.Kind
	return k == format.ImageKernel || k == format.ImageModule || k == format.ImageBPF
}

// A Location is a code address as the capture names it: independent of where the image was loaded.
type Location struct {
	Image  *Image // nil: not known, offset is the address
	Offset uint64
}
