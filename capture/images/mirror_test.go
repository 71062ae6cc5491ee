package images

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
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
// Processes end, and others get their PIDs at once.
type simulation struct {
	reports [][]mapRecord                  // by CPU, in order
	mapped  []map[uint32]map[uint64]string // by step: path by process and page
}

const (
	simulatedPage = 0x1000
	simulatedPIDs = 4
	// unmapped precedes the path of a page that is no longer mapped. The kernel does not
	// report it.
	unmapped = "unmapped "
)

// simulate runs processes for a number of steps, each of which takes a step of time.
func simulate(r *rand.Rand, steps int, step uint64) *simulation {
	s := &simulation{reports: make([][]mapRecord, 3)}
	now := map[uint32]map[uint64]string{1: {1: "first"}}
	s.mapped = append(s.mapped, copyOf(now))
	for n := 1; n <= steps; n++ {
		pids := slices.Sorted(maps.Keys(now))
		pid := pids[r.IntN(len(pids))]
		report := mapRecord{time: uint64(n) * step, pid: pid}
		page, pages := uint64(r.IntN(4)), uint64(1+r.IntN(2))
		switch what := r.IntN(7); {
		case what <= 1 && len(now) < simulatedPIDs:
			child := uint32(1)
			for now[child] != nil {
				child++
			}
			report.what, report.pid, report.parent = forked, child, pid
			now[child] = maps.Clone(now[pid])
		case what <= 2 && len(now) > 1:
			report.what = ended
			delete(now, pid)
		case what == 3:
			report.what = begunProgram
			now[pid] = make(map[uint64]string)
		case what == 4:
			if path := now[pid][page]; path != "" {
				now[pid][page] = unmapped + strings.TrimPrefix(path, unmapped)
			}
			s.mapped = append(s.mapped, copyOf(now))
			continue
		default:
			report.what, report.start, report.size, report.path = mappedFile, page*simulatedPage, pages*simulatedPage, fmt.Sprint("file ", n)
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

// mirror returns a mirror that has taken the reports, those of several CPUs interleaved
// at random.
func (s *simulation) mirror(r *rand.Rand) *mappingMirror {
	m := newMappingMirror()
	m.set(1, []mapped{{Mapping: locate.Mapping{Start: simulatedPage, End: 2 * simulatedPage, Perm: "r-xp", Path: "first"}}})
	for left := slices.Clone(s.reports); ; {
		left = slices.DeleteFunc(left, func(q []mapRecord) bool { return len(q) == 0 })
		if len(left) == 0 {
			return m
		}
		cpu := r.IntN(len(left))
		m.take(left[cpu][0], nil)
		left[cpu] = left[cpu][1:]
	}
}

// The mirror knows what each process has mapped at each time, whatever the processes do,
// however fast PIDs are reused, and however the reports of several CPUs interleave. Once
// it has forgotten a process, it never takes another one for it.
func TestMirrorAgainstSimulation(t *testing.T) {
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 2))
		forgets := seed%2 == 1
		step := uint64(1)
		if forgets {
			step = keepEnded / 4
		}
		s := simulate(r, 40, step)
		m := s.mirror(r)
		for _, n := range r.Perm(len(s.mapped)) { // hits arrive late and in any order
			for pid, pages := range s.mapped[n] {
				for page := range uint64(6) {
					got := ""
					found, known := m.at(pid, page*simulatedPage, uint64(n)*step)
					if found != nil {
						got = found.Path
					}
					if want := strings.TrimPrefix(pages[page], unmapped); got != want && known || !known && !forgets {
						t.Fatalf("seed %d: process %d at step %d has %q at page %d (known: %t), want %q; reports by CPU %+v",
							seed, pid, n, got, page, known, want, s.reports)
					}
				}
			}
			if forgets {
				m.forget()
			}
		}
	}
}

// What /proc shows is believed only if it is what the process of the hit had mapped.
func TestProcIsBelievedForTheSameProcess(t *testing.T) {
	believed := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		s := simulate(r, 40, 1)
		m := s.mirror(r)
		shown := s.mapped[len(s.mapped)-1]
		for n, processes := range s.mapped {
			for pid, pages := range processes {
				for page := range uint64(6) {
					if !m.lives(pid, uint64(n)) || !m.unchanged(pid, page*simulatedPage, uint64(n)) {
						continue
					}
					believed++
					if shown[pid] == nil || strings.TrimPrefix(shown[pid][page], unmapped) != strings.TrimPrefix(pages[page], unmapped) {
						t.Fatalf("seed %d: process %d at step %d had %q at page %d; /proc shows %q; reports by CPU %+v",
							seed, pid, n, pages[page], page, shown[pid][page], s.reports)
					}
				}
			}
		}
	}
	if believed == 0 {
		t.Error("/proc is never believed")
	}
}

// The number of processes is limited. Those that ended first are unknown, not confused
// with later owners of their PIDs.
func TestMirrorIsLimited(t *testing.T) {
	const pid, count = 2, maxMirrored + 100
	m := newMappingMirror()
	m.set(1, []mapped{{Mapping: locate.Mapping{Start: 0x1000, End: 0x2000, Perm: "r-xp", Path: "parent"}}})
	for i := uint64(1); i <= count; i++ {
		m.take(mapRecord{what: forked, time: 10 * i, pid: pid, parent: 1}, nil)
		m.take(mapRecord{what: begunProgram, time: 10*i + 1, pid: pid}, nil)
		m.take(mapRecord{what: mappedFile, time: 10*i + 2, pid: pid, start: 0x1000, size: 0x1000, path: fmt.Sprint(i)}, nil)
		m.take(mapRecord{what: ended, time: 10*i + 3, pid: pid}, nil)
	}
	if m.owners > maxMirrored || len(m.ended) > maxMirrored {
		t.Errorf("%d processes and %d ends kept", m.owners, len(m.ended))
	}
	if p, known := m.at(pid, 0x1800, 10*1+3); known {
		t.Errorf("the first owner, long forgotten, has %+v", p)
	}
	if m.unchanged(pid, 0x1800, 10*1+3) {
		t.Error("the first owner, long forgotten, is unchanged")
	}
	for _, i := range []uint64{count - maxMirrored/2, count - 1, count} {
		if p, _ := m.at(pid, 0x1800, 10*i+3); p == nil || p.Path != fmt.Sprint(i) {
			t.Errorf("owner %d has %+v", i, p)
		}
	}
	if p, known := m.at(1, 0x1800, 10*count); !known || p == nil || p.Path != "parent" {
		t.Errorf("the parent, which lives, has %+v", p)
	}
}
