package capture

import (
	"trapline/format"
)

type stackFrame struct {
	location
	flags format.FrameFlags
}

// inKernel reports whether the frame is named by the kernel's symbols.
func (f stackFrame) inKernel() bool {
	if f.image == nil {
		return false
	}
	k := f.image.kind
	return k == format.ImageKernel || k == format.ImageModule || k == format.ImageBPF
}
