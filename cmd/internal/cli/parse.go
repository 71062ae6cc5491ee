package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseSize parses a number of bytes such as 512, 64K, 8M or 1.5G. Suffixes are
// powers of 1024; B or iB may follow. A plain number counts units of unit bytes: 1,
// or the page size where perf counts pages.
func ParseSize(s string, unit uint64) (uint64, error) {
	number, scale := s, uint64(0)
	for _, suffix := range []string{"iB", "B"} {
		if rest, ok := strings.CutSuffix(number, suffix); ok {
			number, scale = rest, 1
			break
		}
	}
	if number != "" {
		if i := strings.IndexByte("kmgt", number[len(number)-1]|0x20); i >= 0 {
			scale = 1 << (10 * (i + 1))
			number = number[:len(number)-1]
		}
	}
	if scale == 0 {
		scale = unit
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !isDecimal(number) {
		return 0, fmt.Errorf("size %q is not a number with K, M, G or T, such as 512 or 8M", s)
	}
	if v *= float64(scale); v >= math.MaxInt64 {
		return 0, fmt.Errorf("size %q is too large", s)
	}
	return uint64(v), nil
}

// isDecimal rejects the other spellings of strconv: signs, exponents, hexadecimal,
// inf.
func isDecimal(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.") == ""
}

// maxCPU exceeds NR_CPUS of the largest kernel configuration (CONFIG_NR_CPUS in
// arch/x86/Kconfig). It bounds the memory of a list.
const maxCPU = 1 << 16

// ParseCPUs parses a CPU list in the notation of the kernel, such as 0-3,8. It
// returns the CPUs sorted and without duplicates.
func ParseCPUs(s string) ([]int, error) {
	var cpus []int
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.ParseUint(first, 10, 32)
		to := from
		if err == nil && isRange {
			to, err = strconv.ParseUint(last, 10, 32)
		}
		if err != nil || to < from {
			return nil, fmt.Errorf("CPU list %q: %q is neither a CPU nor a range such as 0-3", s, part)
		}
		if to >= maxCPU {
			return nil, fmt.Errorf("CPU list %q: there is no CPU %d", s, to)
		}
		for c := from; c <= to; c++ {
			cpus = append(cpus, int(c))
		}
		if len(cpus) > maxCPU {
			slices.Sort(cpus)
			cpus = slices.Compact(cpus)
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}

// ParseIDs parses a comma-separated list of process, thread or user numbers. It
// returns them sorted and without duplicates. what names the numbers in errors.
func ParseIDs(what, s string) ([]uint32, error) {
	var ids []uint32
	for part := range strings.SplitSeq(s, ",") {
		id, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s %q is not a number from 0 to %d", what, part, uint32(math.MaxUint32))
		}
		ids = append(ids, uint32(id))
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// ParseDuration parses a duration in the notation of Go (1m30s, 5ms) or a plain
// number of seconds.
func ParseDuration(s string) (time.Duration, error) {
	if isDecimal(s) {
		s += "s"
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("duration %q is not a number with a unit, such as 500ms, 10s or 2m", s)
	}
	if d < 0 {
		return 0, errors.New("a duration cannot be negative")
	}
	return d, nil
}
