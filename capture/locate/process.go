package locate

import (
	"os"
	"path/filepath"
	"strconv"
)

// ProcessDirectory returns the directory in /proc, below root, in which the mappings and
// files of a process are found. This is the one of its first thread unless that thread has
// ended and others live on: then its maps are empty and its links lead nowhere, but those
// of the others are whole.
func ProcessDirectory(root string, pid int) string {
	first := root + "/proc/" + strconv.Itoa(pid)
	if lives(first) {
		return first
	}
	threads, _ := os.ReadDir(first + "/task")
	for _, t := range threads {
		// /proc/TID has all that /proc/PID has, /proc/PID/task/TID has not.
		if other := root + "/proc/" + t.Name(); lives(other) {
			return other
		}
	}
	return first
}

// lives reports whether a thread has an address space. A link that exists but may not be
// read counts.
func lives(directory string) bool {
	_, err := os.Readlink(filepath.Join(directory, "exe"))
	return err == nil || os.IsPermission(err)
}
