package capture

import (
	"slices"
	"strings"
	"time"

	"trapline/capture/probe"
)

// A mappingMirror holds what processes have mapped, by what the kernel reported,
// for those that are gone before /proc/PID/maps can be read.
type mappingMirror struct {
	processes map[uint32][]probe.Mapping // in the order in which they were made
	ended     []endedProcess
}

type endedProcess struct {
	pid uint32
	at  time.Time
}

const (
	// What a process had mapped is kept for so long after its end: its last
	// hits are in the rings then.
	keepEnded = 5 * time.Second
	// maxMirrored bounds the processes that are held.
	maxMirrored = 1 << 15
)

func newMappingMirror() *mappingMirror {
	return &mappingMirror{processes: make(map[uint32][]probe.Mapping)}
}

// set takes in all mappings of a process.
func (m *mappingMirror) set(pid uint32, maps []probe.Mapping) {
	maps = slices.DeleteFunc(slices.Clone(maps), func(p probe.Mapping) bool { return !strings.Contains(p.Perm, "x") })
	if len(maps) > 0 && len(m.processes) < maxMirrored {
		m.processes[pid] = slices.Clip(maps)
	}
}

// mappings returns a process's mappings; later ones, which lie over earlier ones, come first.
func (m *mappingMirror) mappings(pid uint32) []probe.Mapping {
	maps := slices.Clone(m.processes[pid])
	slices.Reverse(maps)
	return maps
}

func (m *mappingMirror) take(r mmapRecord) {
	if len(m.processes) >= maxMirrored {
		clear(m.processes)
	}
	switch r.what {
	case begunProgram:
		delete(m.processes, r.pid)
	case forked:
		// Clipped, so that neither of the two appends to what the other sees.
		m.processes[r.pid] = slices.Clip(m.processes[r.parent])
		m.processes[r.parent] = m.processes[r.pid]
	case ended:
		m.ended = append(m.ended, endedProcess{r.pid, time.Now()})
	case mappedFile:
		m.processes[r.pid] = append(m.processes[r.pid], probe.Mapping{Start: r.start, End: r.start + r.size, Offset: r.offset,
			Device: uint64(r.device), Inode: r.inode, Perm: "r-xp", Path: r.path})
	}
}

// forget drops the processes that ended some time ago.
func (m *mappingMirror) forget() {
	n := 0
	for n < len(m.ended) && time.Since(m.ended[n].at) > keepEnded {
		delete(m.processes, m.ended[n].pid)
		n++
	}
	m.ended = m.ended[n:]
}
