package images

import (
	"bytes"
	"io"
	"os"
	"path/filepath"

	"trapline/format"
	"trapline/internal/symbol"
)

// Open returns the contents of an image and a function that releases them, or nil if the
// image cannot be read or its file has been overwritten.
func Open(img *Image) (io.ReaderAt, func()) {
	switch {
	case img.Kind == format.ImageVDSO:
		if v, err := symbol.VDSO(); err == nil {
			return v, func() {}
		}
	case img.File != nil:
		if img.unchanged(img.File) {
			return img.File, func() {}
		}
	default:
		f, err := os.Open(filepath.Join(img.Root, img.Path))
		if err != nil {
			return nil, nil
		}
		if img.unchanged(f) {
			return f, func() { f.Close() }
		}
		f.Close()
	}
	return nil, nil
}

// Intact reports whether the image's open file still has the contents that were mapped.
func Intact(img *Image) bool { return img.File == nil || img.unchanged(img.File) }

// unchanged reports whether a file still has the contents that were mapped. A file that
// was overwritten in place must not lend its new names to old hits.
func (m *Image) unchanged(f *os.File) bool {
	now, err := contentOf(f)
	switch {
	case err != nil:
		return false
	case m.content == content{}: // could not be opened before
		return m.Key != 0 && now.key(fileKey{now.device, now.inode}) == m.Key
	case now.fileKey != m.content.fileKey || now.size != m.content.size:
		return false
	}
	id, err := symbol.ReadBuildID(f)
	if len(m.BuildID) > 0 { // whatever the time of change says: it can be set
		return err == nil && bytes.Equal(id, m.BuildID)
	}
	return len(id) == 0 && now == m.content
}

// mayBe reports whether the image may have a content key. On stacked file systems the
// kernel knows the file under another inode than /proc shows.
func (m *Image) mayBe(file fileKey, key uint64) bool {
	return m.content == content{} || m.content.key(file) == key
}
