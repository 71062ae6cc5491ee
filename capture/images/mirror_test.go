package images

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"trapline/capture/locate"
)

// Lookups do not depend on the order of reports: those of one CPU are ordered, those of
// several are not.
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

// A stack taken before a PID was reused is looked up in the first owner's mappings.
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

// A simulation is a random run of processes with their true mappings at each time.
type simulation struct {
	reports [][]mapRecord                  // by CPU, in order
	mapped  []map[uint32]map[uint64]string // by time: path by process and page
}

const simulatedPage = 0x1000

func simulate(r *rand.Rand, steps int) *simulation {
	s := &simulation{reports: make([][]mapRecord, 3)}
	now := map[uint32]map[uint64]string{1: {1: "first"}}
	s.mapped = append(s.mapped, copyOf(now))
	for time := uint64(1); time <= uint64(steps); time++ {
		pids := slices.Sorted(maps.Keys(now))
		pid := pids[r.IntN(len(pids))]
		report := mapRecord{time: time, pid: pid}
		switch r.IntN(4) {
		case 0:
			child := uint32(len(now) + 1)
			report.what, report.pid, report.parent = forked, child, pid
			now[child] = maps.Clone(now[pid])
		case 1:
			report.what = begunProgram
			now[pid] = make(map[uint64]string)
		default:
			page, pages := uint64(r.IntN(4)), uint64(1+r.IntN(2))
			report.what, report.start, report.size, report.path = mappedFile, page*simulatedPage, pages*simulatedPage, fmt.Sprint("file ", time)
			for i := range pages {
				now[pid][page+i] = report.path
			}
		}
		cpu := r.IntN(len(s.reports))
		s.reports[cpu] = append(s.reports[cpu], report)
		s.mapped = append(s.mapped, copyOf(now))
	}
	return s
}

func copyOf(processes map[uint32]map[uint64]string) map[uint32]map[uint64]string {
	c := make(map[uint32]map[uint64]string)
	for pid, pages := range processes {
		c[pid] = maps.Clone(pages)
	}
	return c
}

// The mirror knows what each process has mapped at each time, whatever the processes do
// and however the reports of several CPUs interleave.
func TestMirrorAgainstSimulation(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := simulate(r, 20)
		m := newMappingMirror()
		m.set(1, []mapped{{Mapping: locate.Mapping{Start: simulatedPage, End: 2 * simulatedPage, Perm: "r-xp", Path: "first"}}})
		for left := slices.Clone(s.reports); ; {
			left = slices.DeleteFunc(left, func(q []mapRecord) bool { return len(q) == 0 })
			if len(left) == 0 {
				break
			}
			cpu := r.IntN(len(left))
			m.take(left[cpu][0], nil)
			left[cpu] = left[cpu][1:]
		}
		for time, processes := range s.mapped {
			for pid, pages := range processes {
				for page := range uint64(6) {
					got := ""
					found, known := m.at(pid, page*simulatedPage, uint64(time))
					if found != nil {
						got = found.Path
					}
					if want := pages[page]; !known || got != want {
						t.Fatalf("seed %d: process %d at time %d has %q at page %d (known: %t), want %q; reports by CPU %+v",
							seed, pid, time, got, page, known, want, s.reports)
					}
				}
			}
		}
	}
}
