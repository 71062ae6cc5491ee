package host

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// CgroupDir returns the directory of a control group (v2). path may include the mount
// point of the cgroup2 file system.
func CgroupDir(path string) (string, error) {
	root, err := machine.cgroupRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, path)
	if strings.HasPrefix(path, root) {
		dir = filepath.Clean(path)
	}
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New("no such control group below " + root)
	case err != nil:
		return "", err
	case !st.IsDir():
		return "", errors.New("not a directory of a control group")
	}
	var fsType unix.Statfs_t
	if err := unix.Statfs(dir, &fsType); err != nil || fsType.Type != unix.CGROUP2_SUPER_MAGIC {
		return "", errors.New("not a control group of version 2, which are all below " + root)
	}
	return dir, nil
}

// cgroupRoot returns the mount point of the cgroup2 file system: /sys/fs/cgroup, or
// another if version 1 is in use too.
func (r root) cgroupRoot() (string, error) {
	f, err := os.Open(r.path("/proc/self/mounts"))
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// fs_spec fs_file fs_vfstype …, as in fstab(5)
		if fields := strings.Fields(lines.Text()); len(fields) > 2 && fields[2] == "cgroup2" {
			return fields[1], nil
		}
	}
	return "", errors.New("this machine has no control groups of version 2: the cgroup2 file system is not mounted (mount -t cgroup2 none DIRECTORY)")
}
