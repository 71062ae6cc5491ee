package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// OnlineCPUs returns the numbers of the online CPUs.
func OnlineCPUs() ([]int, error) { return readCPUList("/sys/devices/system/cpu/online") }

// PossibleCPUs returns 1 + the highest number of a CPU that may come online.
func PossibleCPUs() (int, error) {
	cpus, err := readCPUList("/sys/devices/system/cpu/possible")
	if err != nil {
		return 0, err
	}
	return cpus[len(cpus)-1] + 1, nil
}

// readCPUList reads a list such as 0-3,8 (Documentation/admin-guide/cputopology.rst).
func readCPUList(path string) ([]int, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var cpus []int
	for _, part := range strings.Split(strings.TrimSpace(string(b)), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || to < from || to > 1<<16 {
			return nil, fmt.Errorf("%s: invalid CPU list %q", path, b)
		}
		for c := from; c <= to; c++ {
			cpus = append(cpus, c)
		}
	}
	if len(cpus) == 0 {
		return nil, fmt.Errorf("%s: no CPUs", path)
	}
	return cpus, nil
}
