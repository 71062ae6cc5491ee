package images

import (
	"io"
	"os"
	"path/filepath"

	"trapline/format"
	"trapline/internal/symbol"
)

// An Image is a file, or a region without one, that code was seen to run from.
type Image struct {
	Kind    format.ImageKind
	Path    string // as the recorded process saw it
	Root    string // where path is to be opened: "" or /proc/PID/root
	BuildID []byte
	Device  uint32
	Inode   uint64
	Key     uint64   // of its content, as the programs name it; 0: not known yet
	sure    bool     // Key is of the file that is mapped, not of one that a file system shows in its place
	File    *os.File // kept open, so that the image can be read after it was deleted; may be nil

	segment uint64 // that id belongs to
	id      format.ImageID
}

// Write declares the image in the writer's open segment, once.
func (m *Image) Write(w *format.Writer, segment uint64) format.ImageID {
	if m.segment != segment {
		m.id = w.Image(format.Image{Kind: m.Kind, Path: w.String(m.Path), BuildID: w.StringBytes(m.BuildID),
			Device: uint64(m.Device), Inode: m.Inode})
		m.segment = segment
	}
	return m.id
}

// Open returns the image's bytes and what gives them back; nil when it cannot be had.
func Open(img *Image) (io.ReaderAt, func()) {
	switch {
	case img.Kind == format.ImageVDSO:
		if v, err := symbol.VDSO(); err == nil {
			return v, func() {}
		}
	case img.File != nil:
		return img.File, func() {}
	default:
		if f, err := os.Open(filepath.Join(img.Root, img.Path)); err == nil {
			return f, func() { f.Close() }
		}
	}
	return nil, nil
}
