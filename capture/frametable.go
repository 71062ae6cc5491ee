package capture

import (
	"trapline/capture/images"
	"trapline/format"
)

// A frameIndex stands for a frame of which many stacks consist: an index into
// frameTable.frames.
type frameIndex uint32

// A frameTable has each frame once.
type frameTable struct {
	frames  []images.Frame
	indices map[images.Frame]frameIndex
	ids     []frameID
}

// A frameID is a frame's ID in a segment.
type frameID struct {
	segment uint32
	id      format.FrameID
}

func (t *frameTable) index(f images.Frame) frameIndex {
	i, ok := t.indices[f]
	if !ok {
		if t.indices == nil {
			t.indices = make(map[images.Frame]frameIndex)
		}
		i = frameIndex(len(t.frames))
		t.frames = append(t.frames, f)
		t.ids = append(t.ids, frameID{})
		t.indices[f] = i
	}
	return i
}

// all returns the frames of a stack.
func (t *frameTable) all(indices []frameIndex) []images.Frame {
	frames := make([]images.Frame, len(indices))
	for i, n := range indices {
		frames[i] = t.frames[n]
	}
	return frames
}
