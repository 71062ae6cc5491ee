package host

import (
	"os"

	"trapline/internal/symbol"
)

// ReadKallsyms reads /proc/kallsyms. It returns [symbol.ErrHidden] if the kernel hides
// addresses from this user.
func ReadKallsyms() (*symbol.Kallsyms, error) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return symbol.ReadKallsyms(f)
}
