package host

import (
	"os"

	"trapline/internal/kallsyms"
)

// ReadKallsyms reads /proc/kallsyms. It returns [kallsyms.ErrHidden] if the kernel hides
// addresses from this user.
func ReadKallsyms() (*kallsyms.Symbols, error) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return kallsyms.Read(f)
}
