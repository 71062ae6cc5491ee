package host

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// Blacklisted reports whether the kernel forbids kprobes in a function. It returns false
// if the list cannot be read.
func Blacklisted(function string) bool { return machine.blacklisted(function) }

func (r root) blacklisted(function string) bool {
	found, _ := anyLine(r.path("/sys/kernel/debug/kprobes/blacklist"), func(line string) bool {
		// "0xffffffff81000000-0xffffffff81000010\tname"
		_, name, _ := strings.Cut(line, "\t")
		name, _, _ = strings.Cut(name, " ")
		return name == function
	})
	return found
}

// Traceable reports whether ftrace can patch a function. If not, the kernel does not
// allow tracing it. It returns true if the list cannot be read.
func Traceable(tracefs, function string) bool {
	found, readable := anyLine(filepath.Join(tracefs, "available_filter_functions"), func(line string) bool {
		name, _, _ := strings.Cut(line, " ") // "ext4_sync_file [ext4]"
		return name == function
	})
	return found || !readable
}

// anyLine reports whether any line of a file matches, and whether the file has any lines.
func anyLine(path string, is func(line string) bool) (found, readable bool) {
	f, err := os.Open(path)
	if err != nil {
		return false, false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		readable = true
		if is(lines.Text()) {
			return true, true
		}
	}
	return false, readable && lines.Err() == nil
}
