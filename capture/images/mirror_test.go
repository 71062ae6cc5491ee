package images

import (
	"slices"
	"testing"

	"trapline/capture/locate"
)

// What a process has mapped is known whatever the order in which reports come:
// each CPU's are in order, those of several are not.
func TestMappingsInAnyOrder(t *testing.T) {
	reports := []mapRecord{
		{what: forked, time: 10, pid: 2, parent: 1},
		{what: forked, time: 20, pid: 3, parent: 2},
		{what: forked, time: 30, pid: 4, parent: 3},
		{what: mappedFile, time: 40, pid: 2, start: 0x2000, size: 0x1000, path: "later"},
	}
	permutations(reports, func(order []mapRecord) {
		m := newMappingMirror()
		m.set(1, []mapped{{Mapping: locate.Mapping{Start: 0x1000, End: 0x2000, Perm: "r-xp", Path: "inherited"}}})
		for _, r := range order {
			m.take(r, nil)
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

// A stack taken before a number had another owner is looked up in the first one's mappings.
func TestMappingsOfReusedNumbers(t *testing.T) {
	reports := []mapRecord{
		{what: forked, time: 10, pid: 2, parent: 1},
		{what: begunProgram, time: 11, pid: 2},
		{what: mappedFile, time: 12, pid: 2, start: 0x1000, size: 0x1000, path: "first"},
		{what: ended, time: 15, pid: 2},
		{what: forked, time: 20, pid: 2, parent: 1},
		{what: begunProgram, time: 21, pid: 2},
		{what: mappedFile, time: 22, pid: 2, start: 0x1000, size: 0x1000, path: "second"},
	}
	m := newMappingMirror()
	m.set(1, []mapped{{Mapping: locate.Mapping{Start: 0x1000, End: 0x2000, Perm: "r-xp", Path: "parent"}}})
	for _, i := range []int{0, 1, 2, 3, 5, 6, 4} { // the second fork is reported last
		m.take(reports[i], nil)
	}
	for time, want := range map[uint64]string{10: "parent", 13: "first", 20: "parent", 23: "second"} {
		if mapping, _ := m.at(2, 0x1800, time); mapping == nil || mapping.Path != want {
			t.Errorf("at time %d: %+v, want %s", time, mapping, want)
		}
	}
}

func permutations(rest []mapRecord, yield func([]mapRecord), head ...mapRecord) {
	if len(rest) == 0 {
		yield(head)
	}
	for i, r := range rest {
		others := slices.Delete(slices.Clone(rest), i, i+1)
		permutations(others, yield, append(slices.Clone(head), r)...)
	}
}
