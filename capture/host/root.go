package host

import (
	"os"
	"path/filepath"
	"strings"
)

// A root is the directory below which /proc, /sys and /boot are read: tests use another.
type root string

// machine is where this machine's are.
const machine root = "/"

func (r root) path(name string) string { return filepath.Join(string(r), name) }

// setting returns what a file of /proc or /sys holds; "" where it cannot be read.
func (r root) setting(name string) string {
	b, err := os.ReadFile(r.path(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
