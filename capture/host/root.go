package host

import (
	"os"
	"path/filepath"
	"strings"
)

// A root is the directory that contains proc, sys and boot. Tests use temporary ones.
type root string

// machine is the root of this machine.
const machine root = "/"

func (r root) path(name string) string { return filepath.Join(string(r), name) }

// setting returns the contents of a file of /proc or /sys, or "" if it is unreadable.
func (r root) setting(name string) string {
	b, err := os.ReadFile(r.path(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
