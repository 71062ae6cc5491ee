package host

import (
	"os"

	"trapline/internal/kallsyms"
)

// ReadKallsyms reads the kernel's symbols.
func ReadKallsyms() (*kallsyms.Symbols, error) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return kallsyms.Read(f)
}
