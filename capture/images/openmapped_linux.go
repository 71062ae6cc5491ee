package images

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"trapline/capture/locate"
)

// openMapped opens the file of a mapping: through the process's root directory, through
// the mapping itself or as the process's program if the file has no path or another one
// has it, or by its name if the process has ended. It returns the mapped file or nil,
// never another file.
func openMapped(pid uint32, path string, start, end uint64, key fileKey) (f *os.File, root string) {
	proc := locate.ProcessDirectory("", int(pid))
	inRoot := proc + "/root"
	tries := []struct{ root, path string }{
		{inRoot, filepath.Join(inRoot, path)},
		{inRoot, fmt.Sprintf("%s/map_files/%x-%x", proc, start, end)},
		{inRoot, proc + "/exe"},
		{"", path},
	}
	if hasNoPath(path) {
		tries = tries[1:3]
	}
	for _, try := range tries {
		if f := openFile(try.path, key); f != nil {
			return f, try.root
		}
	}
	return nil, ""
}

// hasNoPath reports whether a path is what the kernel calls a file that is only in memory.
// It may be a program (memfd_create) or memory of a JIT compiler.
func hasNoPath(path string) bool {
	return path == "//anon" || strings.HasPrefix(path, "/memfd:") || strings.HasPrefix(path, "/dev/zero")
}

// openFile opens a regular file if it has the inode of a mapping, else it returns nil.
func openFile(path string, key fileKey) *os.File {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Ino == key.inode {
		return f
	}
	f.Close()
	return nil
}
