package images

import (
	"os"

	"trapline/format"
)

// An Image is a file or a region without a file from which code runs.
type Image struct {
	Kind    format.ImageKind
	Path    string // as the recorded process sees it
	Root    string // prefix for opening Path: "" or /proc/PID/root
	BuildID []byte
	Device  uint32
	Inode   uint64
	Key     uint64     // content key, as BPF programs compute it; 0 means unknown
	sure    bool       // Key belongs to the mapped file, not to one that a stacked file system shows instead
	content content    // of the mapped file; zero means it could not be opened
	File    *os.File   // kept open so that deleted files can be read; may be nil
	Debug   []*os.File // files that may contain its debug information, kept open

	segment uint64 // segment of id
	id      format.ImageID
}

// Write declares the image in the open segment of w, once, and returns its ID.
func (m *Image) Write(w *format.Writer, segment uint64) format.ImageID {
	if m.segment != segment {
		m.id = w.Image(format.Image{Kind: m.Kind, Path: w.String(m.Path), BuildID: w.StringBytes(m.BuildID),
			Device: uint64(m.Device), Inode: m.Inode})
		m.segment = segment
	}
	return m.id
}
