package symbol

import (
	"bytes"
	"io"
	"os"
)

// maxHeld limits the files that OpenDebugFiles opens for an image.
const maxHeld = 4

// OpenDebugFiles opens the files that may be the separate debug file of the image in r,
// and what these share with other debug files. As [Options].Held they can still be read
// when they are deleted, or when the process through whose root they were opened has
// ended. Build IDs are compared. Checksums, which take long, are left to [NewELF]. The
// caller closes the files.
func OpenDebugFiles(r io.ReaderAt, opt Options) (held []*os.File) {
	e, err := NewELF(r, opt)
	if err != nil {
		return nil
	}
	var damaged error
	defer guard("looking for debug files", &damaged)
	for _, p := range e.debugPaths() {
		f, o := openObject(p.path, e.memory)
		if o == nil {
			continue
		}
		id, _ := o.notes()
		same := len(id) > 0 && bytes.Equal(id, e.buildID)
		if !same && (p.crc == nil || len(id) > 0 && len(e.buildID) > 0) {
			f.Close()
			continue
		}
		held = append(held, f)
		if alt := e.holdAlt(o); alt != nil {
			held = append(held, alt)
		}
		if same || len(held) >= maxHeld {
			break
		}
	}
	return held
}

// holdAlt opens what a debug file shares with others, nil if there is no such file.
func (e *ELF) holdAlt(o *object) *os.File {
	paths, id := e.altPaths(o)
	for _, path := range paths {
		f, alt := openObject(path, e.memory)
		if alt == nil {
			continue
		}
		if found, _ := alt.notes(); bytes.Equal(found, id) {
			return f
		}
		f.Close()
	}
	return nil
}
