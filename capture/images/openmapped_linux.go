package images

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"trapline/capture/locate"
)

// openMapped opens the file of a mapping: through the process's root directory, through
// the mapping itself if the file is deleted, or by its name if the process has ended. It
// returns the mapped file or nil, never another file.
func openMapped(pid uint32, path string, start, end uint64, key fileKey) (f *os.File, root string) {
	proc := locate.ProcessDirectory("", int(pid))
	for _, try := range []struct{ root, path string }{
		{proc + "/root", filepath.Join(proc, "root", path)},
		{"", fmt.Sprintf("%s/map_files/%x-%x", proc, start, end)},
		{"", path},
	} {
		f, err := os.OpenFile(try.path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		if err != nil {
			continue
		}
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Ino == key.inode {
			return f, try.root
		}
		f.Close()
	}
	return nil, ""
}
