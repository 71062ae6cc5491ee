package analysis

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// ParseCPUs parses a CPU list as the kernel and perf write it: 0,2-5.
func ParseCPUs(list string) ([]CPURange, error) {
	var ranges []CPURange
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.ParseUint(first, 10, 32)
		b, errB := strconv.ParseUint(last, 10, 32)
		if errA != nil || errB != nil || a > b {
			return nil, fmt.Errorf("CPU list %q: %q is no CPU or range of CPUs; write it like 0,2-5", list, part)
		}
		ranges = append(ranges, CPURange{uint32(a), uint32(b)})
	}
	return ranges, nil
}

// ParseIDs parses a list of process or thread ids: 1,234.
func ParseIDs(list string) ([]uint32, error) {
	var ids []uint32
	for part := range strings.SplitSeq(list, ",") {
		id, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("id list %q: %q is no process or thread id; write it like 1,234", list, part)
		}
		ids = append(ids, uint32(id))
	}
	return ids, nil
}

func (f *Filter) matchTask(t Task, known bool) bool {
	if len(f.Comms)+len(f.PIDs)+len(f.TIDs) == 0 {
		return true
	}
	return known &&
		(len(f.Comms) == 0 || slices.Contains(f.Comms, t.Comm)) &&
		(len(f.PIDs) == 0 || slices.Contains(f.PIDs, t.PID)) &&
		(len(f.TIDs) == 0 || slices.Contains(f.TIDs, t.TID))
}

func (f *Filter) matchCPU(cpu uint32) bool {
	if len(f.CPUs) == 0 {
		return true
	}
	for _, r := range f.CPUs {
		if r.First <= cpu && cpu <= r.Last {
			return true
		}
	}
	return false
}

// matchProbe compares names, and as a glob both names and their part after the
// last colon, so that "sched_*" finds what "sched:sched_*" finds.
func (f *Filter) matchProbe(name string) bool {
	if len(f.Probes) == 0 {
		return true
	}
	short := name[strings.LastIndexByte(name, ':')+1:]
	for _, p := range f.Probes {
		if p == name || p == short {
			return true
		}
		// A malformed glob can only be meant as a name.
		long, _ := path.Match(p, name)
		if brief, _ := path.Match(p, short); long || brief {
			return true
		}
	}
	return false
}

// matchCall holds the call's image against dsos and its function against
// symbols, as perf's -d and -S do.
func matchCall(c *Call, dsos, symbols []string) bool {
	if len(dsos)+len(symbols) == 0 {
		return true
	}
	if c == nil {
		return false
	}
	if len(dsos) > 0 && (c.Image == nil ||
		!slices.Contains(dsos, c.Image.Name()) && !slices.Contains(dsos, c.Image.Path)) {
		return false
	}
	return len(symbols) == 0 || slices.Contains(symbols, c.Name()) ||
		c.Linkage != "" && slices.Contains(symbols, c.Linkage)
}
