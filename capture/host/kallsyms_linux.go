package host

import (
	"os"

	"trapline/internal/symbol"
)

// ReadKallsyms reads the kernel's symbols.
func ReadKallsyms() (*symbol.Kallsyms, error) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return symbol.ReadKallsyms(f)
}
