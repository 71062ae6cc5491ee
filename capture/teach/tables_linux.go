package teach

import (
	"trapline/capture/images"
	"trapline/capture/unwind"
	"trapline/format"
)

// unwindTables caches the unwind information of images.
type unwindTables struct {
	images map[*images.Image]*unwind.Image // nil if it has none
	done   []func()                        // release the images
}

// of returns an image's unwind information, nil if it has none.
func (t *unwindTables) of(img *images.Image) *unwind.Image {
	known, ok := t.images[img]
	if ok {
		return known
	}
	if img.Kind == format.ImageELF || img.Kind == format.ImageVDSO {
		if r, done := images.Open(img); r != nil {
			debug := images.NewDebugFiles(img)
			if read, err := unwind.ReadImage(r, debug.Readers()...); err == nil {
				known = read
				t.done = append(t.done, func() { debug.Close(); done() })
			} else {
				done()
			}
		}
	}
	t.images[img] = known
	return known
}

func (t *unwindTables) close() {
	for _, done := range t.done {
		done()
	}
	t.done = nil
}
