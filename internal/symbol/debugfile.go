package symbol

import (
	"bytes"
	"encoding/hex"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"

	"trapline/internal/meter"
)

// findDebugFile opens the image's separate debug file by build ID or by the name in
// .gnu_debuglink, as GDB does ("Debugging Information in Separate Files"). It returns nil if
// none matches.
func (e *ELF) findDebugFile() *object {
	if len(e.buildID) > 1 {
		id := hex.EncodeToString(e.buildID)
		name := filepath.Join(".build-id", id[:2], id[2:]+".debug")
		for _, dir := range e.debugDirs() {
			if o := e.openMatching(filepath.Join(dir, name), e.buildID, nil); o != nil {
				return o
			}
		}
	}
	name, crc, ok := e.debugLink()
	if !ok {
		return nil
	}
	var dirs []string
	if e.opt.Path != "" {
		dir := filepath.Dir(e.opt.Path)
		dirs = append(dirs, filepath.Join(e.opt.Root, dir), filepath.Join(e.opt.Root, dir, ".debug"))
		for _, d := range e.debugDirs() {
			dirs = append(dirs, filepath.Join(d, dir))
		}
	}
	for _, dir := range append(dirs, e.debugDirs()...) {
		if o := e.openMatching(filepath.Join(dir, name), e.buildID, &crc); o != nil {
			return o
		}
	}
	return nil
}

// debugDirs returns the directories of debug files: first those in the process's root, then
// those of this machine.
func (e *ELF) debugDirs() []string {
	dirs := e.opt.DebugDirs
	if e.opt.Root == "" {
		return dirs
	}
	rooted := make([]string, 0, 2*len(dirs))
	for _, d := range dirs {
		rooted = append(rooted, filepath.Join(e.opt.Root, d))
	}
	return append(rooted, dirs...)
}

// debugLink decodes .gnu_debuglink: a file name, padding to 4 bytes, and the
// CRC-32 of the whole debug file.
func (e *ELF) debugLink() (name string, crc uint32, ok bool) {
	s := e.section(".gnu_debuglink")
	if s == nil || s.Size > 4096 {
		return "", 0, false
	}
	b, err := e.contents(s)
	if err != nil {
		return "", 0, false
	}
	end := bytes.IndexByte(b, 0)
	crcOff := (end + 4) &^ 3
	if end <= 0 || crcOff+4 > len(b) {
		return "", 0, false
	}
	// Accept only a name: a path would lead out of the searched directories.
	name = string(b[:end])
	if strings.ContainsRune(name, '/') || name == "." || name == ".." {
		return "", 0, false
	}
	return name, e.file.ByteOrder.Uint32(b[crcOff:]), true
}

// openMatching opens an ELF file if it has the build ID or, if crc is not nil, the checksum.
// Close closes it.
func (e *ELF) openMatching(path string, id []byte, crc *uint32) *object {
	f, o := openObject(path, e.memory)
	if o == nil {
		return nil
	}
	found, _ := o.notes()
	matches := bytes.Equal(found, id)
	if crc != nil {
		matches = (len(found) == 0 || len(id) == 0 || matches) && fileCRC(f) == *crc
	}
	if !matches {
		f.Close()
		return nil
	}
	e.mu.Lock()
	e.opened = append(e.opened, f)
	e.mu.Unlock()
	return o
}

// openObject opens an ELF file. It returns nil if there is none. It opens only regular
// files, since others could block.
func openObject(path string, memory *meter.Meter) (*os.File, *object) {
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil
	}
	o, err := tryObject(f, memory)
	if err != nil {
		f.Close()
		return nil, nil
	}
	o.path = path
	return f, o
}

func tryObject(r io.ReaderAt, memory *meter.Meter) (o *object, err error) {
	defer guard("reading debug file", &err)
	return newObject(r, memory)
}

func fileCRC(f *os.File) uint32 {
	h := crc32.NewIEEE()
	st, err := f.Stat()
	if err != nil {
		return 0
	}
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, st.Size())); err != nil {
		return 0
	}
	return h.Sum32()
}
