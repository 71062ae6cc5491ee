package capture

import (
	"trapline/capture/images"
	"trapline/format"
)

// A frameIndex identifies a frame that many stacks share: an index into
// frameTable.frames.
type frameIndex uint32

// A frameTable contains each frame once.
type frameTable struct {
	frames  []images.Frame
	indices map[images.Frame]frameIndex
	ids     []frameID
}

// A frameID is the ID of a frame in a segment.
type frameID struct {
	segment uint32
	id      format.FrameID
}

// index returns the index of a frame, adding it if it is new.
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

// all returns the frames with the given indices.
func (t *frameTable) all(indices []frameIndex) []images.Frame {
	frames := make([]images.Frame, len(indices))
	for i, n := range indices {
		frames[i] = t.frames[n]
	}
	return frames
}
