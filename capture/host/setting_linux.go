package host

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// setting returns what a file of /proc or /sys holds; "" where it cannot be read.
func setting(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// OlderThan reports whether the kernel comes before a release such as 6.6.
func OlderThan(since string) bool {
	var major, minor, wantMajor, wantMinor int
	if _, err := fmt.Sscanf(since, "%d.%d", &wantMajor, &wantMinor); err != nil {
		return false
	}
	if _, err := fmt.Sscanf(release(), "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major < wantMajor || major == wantMajor && minor < wantMinor
}

// Lockdown returns the kernel's lockdown mode: none, integrity or confidentiality;
// "" where it does not say.
func Lockdown() string {
	// "none [integrity] confidentiality"
	_, after, _ := strings.Cut(setting("/sys/kernel/security/lockdown"), "[")
	mode, _, _ := strings.Cut(after, "]")
	return mode
}

// seccomp reports whether a filter of system calls is active, as in most containers.
func seccomp() bool {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if mode, ok := strings.CutPrefix(lines.Text(), "Seccomp:"); ok {
			return strings.TrimSpace(mode) == "2" // SECCOMP_MODE_FILTER
		}
	}
	return false
}

// maxConfig bounds how much of a kernel configuration is read, unpacked.
const maxConfig = 4 << 20

// kernelConfig reads the kernel's configuration, where it is to be found.
var kernelConfig = sync.OnceValue(func() map[string]string {
	options := make(map[string]string)
	read := func(r io.Reader) {
		for lines := bufio.NewScanner(io.LimitReader(r, maxConfig)); lines.Scan(); {
			line := lines.Text()
			if name, ok := strings.CutPrefix(line, "# "); ok {
				if name, ok = strings.CutSuffix(name, " is not set"); ok {
					options[name] = "n"
				}
			} else if name, value, ok := strings.Cut(line, "="); ok {
				options[name] = value
			}
		}
	}
	if f, err := os.Open("/proc/config.gz"); err == nil {
		defer f.Close()
		if unpacked, err := gzip.NewReader(f); err == nil {
			read(unpacked)
		}
	} else if f, err := os.Open("/boot/config-" + release()); err == nil {
		defer f.Close()
		read(f)
	}
	return options
})

// Lacks returns the first of the options that the kernel is known to be built without.
func Lacks(options ...string) string {
	for _, o := range options {
		if v, ok := kernelConfig()[o]; ok && v == "n" {
			return o
		}
	}
	return ""
}
