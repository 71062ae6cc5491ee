package capture

import (
	"slices"
	"testing"

	"trapline/capture/probe"
)

// What a process has mapped is known whatever the order in which reports come:
// each CPU's are in order, those of several are not.
func TestMappingsInAnyOrder(t *testing.T) {
	reports := []mmapRecord{
		{what: forked, time: 10, pid: 2, parent: 1},
		{what: forked, time: 20, pid: 3, parent: 2},
		{what: forked, time: 30, pid: 4, parent: 3},
		{what: mappedFile, time: 40, pid: 2, start: 0x2000, size: 0x1000, path: "later"},
	}
	permutations(reports, func(order []mmapRecord) {
		m := newMappingMirror()
		m.set(1, []probe.Mapping{{Start: 0x1000, End: 0x2000, Perm: "r-xp", Path: "inherited"}})
		for _, r := range order {
			m.take(r)
		}
		for _, want := range []struct {
			pid           uint32
			address, time uint64
			path          string
		}{
			{4, 0x1800, 35, "inherited"}, {2, 0x2800, 45, "later"},
			{2, 0x2800, 35, ""}, {4, 0x2800, 45, ""}, // mapped after both forks
		} {
			path := ""
			mapping, known := m.at(want.pid, want.address, want.time)
			if mapping != nil {
				path = mapping.Path
			}
			if !known || path != want.path {
				t.Errorf("reports in the order %v: process %d at time %d: %q at %#x (known: %v), want %q",
					order, want.pid, want.time, path, want.address, known, want.path)
			}
		}
	})
}

func permutations(rest []mmapRecord, yield func([]mmapRecord), head ...mmapRecord) {
	if len(rest) == 0 {
		yield(head)
	}
	for i, r := range rest {
		others := slices.Delete(slices.Clone(rest), i, i+1)
		permutations(others, yield, append(slices.Clone(head), r)...)
	}
}
