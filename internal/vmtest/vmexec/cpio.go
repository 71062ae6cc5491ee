//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A cpioWriter writes a cpio archive in "newc" format, which the kernel unpacks as its
// root file system: see Documentation/driver-api/early-userspace/buffer-format.rst.
// The first error sticks and is returned by close.
type cpioWriter struct {
	w       *bufio.Writer
	written int64
	inodes  int
	names   map[string]bool
	err     error
}

func newCPIOWriter(w io.Writer) *cpioWriter {
	return &cpioWriter{w: bufio.NewWriterSize(w, 1<<20), names: map[string]bool{}}
}

// File types of the mode field, as in struct stat.
const (
	cpioDir  = 0o040000
	cpioFile = 0o100000
)

// entry adds a member unless the archive has its name.
func (c *cpioWriter) entry(name string, mode uint32, size int64, body io.Reader) {
	name = strings.Trim(name, "/")
	if c.err != nil || c.names[name] {
		return
	}
	c.names[name] = true
	c.inodes++
	const zero, links = 0, 1
	c.text(fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		c.inodes, mode, zero, zero, links, zero, size, zero, zero, zero, zero, len(name)+1, zero, name))
	c.pad()
	if body == nil || c.err != nil {
		return
	}
	n, err := io.Copy(c.w, body)
	c.written += n
	if err == nil && n != size {
		err = fmt.Errorf("%s: its size changed while it was read", name)
	}
	c.err = err
	c.pad()
}

func (c *cpioWriter) text(s string) {
	if c.err == nil {
		_, c.err = c.w.WriteString(s)
		c.written += int64(len(s))
	}
}

// pad aligns headers and bodies to 4 bytes.
func (c *cpioWriter) pad() {
	if n := -c.written & 3; n > 0 {
		c.text("\x00\x00\x00"[:n])
	}
}

// dir adds a directory after its parents.
func (c *cpioWriter) dir(path string) {
	path = strings.Trim(path, "/")
	if path == "" || path == "." || c.names[path] {
		return
	}
	c.dir(filepath.Dir(path))
	c.entry(path, cpioDir|0o755, 0, nil)
}

func (c *cpioWriter) bytes(path, content string) {
	c.dir(filepath.Dir(path))
	c.entry(path, cpioFile|0o644, int64(len(content)), strings.NewReader(content))
}

// file adds a file of the host; symbolic links are followed.
func (c *cpioWriter) file(src, dst string) {
	if c.err != nil {
		return
	}
	f, err := os.Open(src)
	if err != nil {
		c.err = err
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		c.err = err
		return
	}
	c.dir(filepath.Dir(dst))
	c.entry(dst, cpioFile|uint32(st.Mode().Perm()), st.Size(), f)
}

// tree adds a directory of the host with all files below, at the same path.
func (c *cpioWriter) tree(root string) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			c.dir(path)
		default:
			c.file(path, path)
		}
		return c.err
	})
	if c.err == nil {
		c.err = err
	}
}

func (c *cpioWriter) close() error {
	c.entry("TRAILER!!!", 0, 0, nil)
	if c.err == nil {
		c.err = c.w.Flush()
	}
	return c.err
}
