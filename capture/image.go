package capture

import (
	"io"
	"os"
	"path/filepath"

	"trapline/format"
	"trapline/internal/symbol"
)

// An Image is a file, or a region without one, that code was seen to run from.
type image struct {
	kind    format.ImageKind
	path    string // as the recorded process saw it
	root    string // where path is to be opened: "" or /proc/PID/root
	buildID []byte
	device  uint32
	inode   uint64
	key     uint64   // of its content, as the programs name it; 0: not known yet
	guessed bool     // key was computed here; no program has named it yet
	sure    bool     // … from the file that is mapped, not from one that a file system shows in its place
	file    *os.File // kept open, so that the image can be read after it was deleted; may be nil

	segment uint64 // that id belongs to
	id      format.ImageID
}

// write declares the image in the writer's open segment, once.
func (m *image) write(w *format.Writer, segment uint64) format.ImageID {
	if m.segment != segment {
		m.id = w.Image(format.Image{Kind: m.kind, Path: w.String(m.path), BuildID: w.StringBytes(m.buildID),
			Device: uint64(m.device), Inode: m.inode})
		m.segment = segment
	}
	return m.id
}

// openImage returns the image's bytes and what gives them back; nil when it cannot be had.
func openImage(img *image) (io.ReaderAt, func()) {
	switch {
	case img.kind == format.ImageVDSO:
		if v, err := symbol.VDSO(); err == nil {
			return v, func() {}
		}
	case img.file != nil:
		return img.file, func() {}
	default:
		if f, err := os.Open(filepath.Join(img.root, img.path)); err == nil {
			return f, func() { f.Close() }
		}
	}
	return nil, nil
}
