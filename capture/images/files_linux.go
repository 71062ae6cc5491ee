package images

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"trapline/capture/locate"
	"trapline/format"
	"trapline/internal/symbol"
)

// maxOpenImages limits the files kept open in case they are deleted, debug files included.
// Other images are opened by name when they are symbolized.
const maxOpenImages = 4096

// A fileTable contains the images of mapped files.
type fileTable struct {
	files  map[fileKey]*Image
	byKey  map[uint64]*Image // by content key
	opened []*os.File
	parent func(pid uint32) uint32 // 0 means unknown
	added  func(*Image)            // called for each new file; may be nil
}

func newFileTable(parent func(pid uint32) uint32) fileTable {
	return fileTable{parent: parent, files: make(map[fileKey]*Image), byKey: make(map[uint64]*Image)}
}

// add opens a mapped file and reads its build ID.
func (t *fileTable) add(pid uint32, key fileKey, path string, start, end uint64) *Image {
	i := &Image{Kind: format.ImageELF, Path: strings.TrimSuffix(path, " (deleted)"), Device: key.device, Inode: key.inode}
	t.files[key] = i
	file, root := t.open(pid, i.Path, start, end, key)
	i.Root = root
	var id []byte
	var err error
	if file != nil {
		id, err = symbol.ReadBuildID(file)
	}
	if hasNoPath(i.Path) && (file == nil || err != nil) { // memory of a JIT compiler
		i.Kind = format.ImageJIT
		if file != nil {
			file.Close()
		}
		return i
	}
	if file == nil {
		return i
	}
	i.BuildID = id
	if c, err := contentOf(file); err == nil {
		i.content = c
		i.Key = c.key(c.fileKey)
		i.sure = c.device == key.device
		if t.byKey[i.Key] == nil {
			t.byKey[i.Key] = i
		}
	}
	if len(t.opened) >= maxOpenImages {
		file.Close()
		return i
	}
	t.opened = append(t.opened, file)
	i.File = file
	i.Debug = symbol.OpenDebugFiles(file, symbol.Options{Path: i.Path, Root: i.Root})
	t.opened = append(t.opened, i.Debug...)
	if t.added != nil {
		t.added(i)
	}
	return i
}

// maxParents limits the ancestors of an ended process that open tries.
const maxParents = 4

// open opens a mapped file. If the process has ended, its parents may still have the
// same root directory.
func (t *fileTable) open(pid uint32, path string, start, end uint64, key fileKey) (f *os.File, root string) {
	if f, root = openMapped(pid, path, start, end, key); f != nil {
		return f, root
	}
	for range maxParents {
		if pid = t.parent(pid); pid == 0 {
			break
		}
		root = fmt.Sprintf("/proc/%d/root", pid)
		if f = openFile(filepath.Join(root, path), key); f != nil {
			return f, root
		}
	}
	return nil, ""
}

// unknown adds a file for which only the device and inode are known.
func (t *fileTable) unknown(key fileKey) *Image {
	i := &Image{Kind: format.ImageUnknown, Path: fmt.Sprintf("[inode %d]", key.inode), Device: key.device, Inode: key.inode}
	t.files[key] = i
	return i
}

// reported returns the image of a reported mapping: a new one if the file has been
// rewritten.
func (t *fileTable) reported(r mapRecord) *Image {
	key := fileKey{r.device, r.inode}
	known := t.files[key]
	if known != nil && (known.Path == r.path || known.segment != 0 || known.Key != 0) && !(known.sure && rewritten(known, r)) {
		return known
	}
	return t.add(r.pid, key, r.path, r.start, r.start+r.size)
}

// rewritten reports whether the file at a mapping's path has different content than the
// image.
func rewritten(known *Image, r mapRecord) bool {
	for _, root := range []string{locate.ProcessDirectory("", int(r.pid)) + "/root", ""} {
		var st unix.Stat_t
		if unix.Stat(filepath.Join(root, r.path), &st) == nil && st.Ino == r.inode {
			return contentKey(&st) != known.Key
		}
	}
	return false
}

func (t *fileTable) close() error {
	var errs []error
	for _, f := range t.opened {
		errs = append(errs, f.Close())
	}
	t.opened = nil
	return errors.Join(errs...)
}
