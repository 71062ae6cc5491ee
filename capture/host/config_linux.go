package host

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"sync"
)

// maxConfig limits the size of an uncompressed kernel configuration.
const maxConfig = 4 << 20

// kernelConfig returns the configuration of this kernel, or nil if it is not available.
var kernelConfig = sync.OnceValue(func() map[string]string { return machine.config(release()) })

// config reads the configuration of a kernel release. Options that are not set have the
// value "n".
func (r root) config(release string) map[string]string {
	if f, err := os.Open(r.path("/proc/config.gz")); err == nil {
		defer f.Close()
		unpacked, err := gzip.NewReader(f)
		if err != nil {
			return nil
		}
		return parseConfig(unpacked)
	}
	if f, err := os.Open(r.path("/boot/config-" + release)); err == nil {
		defer f.Close()
		return parseConfig(f)
	}
	return nil
}

func parseConfig(r io.Reader) map[string]string {
	options := make(map[string]string)
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
	return options
}

// Lacks returns the first option that the kernel is known to be built without, or "".
func Lacks(options ...string) string {
	for _, o := range options {
		if v, ok := kernelConfig()[o]; ok && v == "n" {
			return o
		}
	}
	return ""
}
