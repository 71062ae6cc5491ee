package images

import (
	"slices"

	"trapline/capture/locate"
)

// A mappingMirror records what each process has mapped at what time, from the kernel's
// reports. Stacks are unwound later than they were taken: by then the process may have
// mapped other code, executed another program, or ended.
type mappingMirror struct {
	processes map[uint32]*processHistory
	ended     []endedProcess
	now       uint64 // time of the newest stack looked up
}

// A processHistory is the sequence of a process's mappings, ordered by time.
type processHistory struct {
	born     uint64          // ns, CLOCK_MONOTONIC
	whole    bool            // includes what was mapped before the recording
	parent   *processHistory // whose mappings it inherited
	forkedBy uint32          // PID of the parent; 0 means unknown
	previous *processHistory // of the previous process with this PID
	events   []mappingEvent
}

type mappingEvent struct {
	time    uint64 // ns, CLOCK_MONOTONIC
	begun   bool   // exec: all mappings are gone
	mapping mapped
}

// mapped is a mapping and its image, nil if it is not of a file.
type mapped struct {
	locate.Mapping
	image *Image
}

type endedProcess struct {
	pid uint32
	at  uint64 // ns, CLOCK_MONOTONIC
}

const (
	// keepEnded is how long after its end, in ns of stack time, a process is kept.
	keepEnded = 5e9
	// maxMirrored limits the processes kept, maxHistory the mappings of each.
	maxMirrored = 1 << 15
	maxHistory  = 1 << 14
	// maxAncestors limits the ancestors that a lookup visits.
	maxAncestors = 64
)

func newMappingMirror() *mappingMirror {
	return &mappingMirror{processes: make(map[uint32]*processHistory)}
}

// set records the executable mappings that a process has at the start of the recording.
func (m *mappingMirror) set(pid uint32, maps []mapped) {
	h := &processHistory{whole: true}
	for _, p := range maps {
		h.events = append(h.events, mappingEvent{mapping: p})
	}
	if len(h.events) > 0 && len(m.processes) < maxMirrored {
		m.processes[pid] = h
	}
}

// at returns the mapping at an address of a process at a time, or nil. known is false if
// the mirror does not know the process's mappings at that time.
func (m *mappingMirror) at(pid uint32, address, time uint64) (mapping *mapped, known bool) {
	m.now = max(m.now, time)
	h := m.processes[pid]
	for h != nil && time < h.born {
		h = h.previous
	}
	for range maxAncestors {
		if h == nil {
			return nil, known
		}
		known = known || h.whole
		for i := len(h.events) - 1; i >= 0; i-- {
			e := &h.events[i]
			if e.time > time {
				continue
			}
			if e.begun {
				return nil, true
			}
			if address-e.mapping.Start < e.mapping.End-e.mapping.Start {
				return &e.mapping, true
			}
		}
		time = min(time, h.born)
		h = h.parent
	}
	return nil, known
}

// parent returns the process that forked a process, 0 if that was before the recording.
func (m *mappingMirror) parent(pid uint32) uint32 {
	if h := m.processes[pid]; h != nil {
		return h.forkedBy
	}
	return 0
}

func (m *mappingMirror) take(r mapRecord, image *Image) {
	if len(m.processes) >= maxMirrored {
		clear(m.processes)
	}
	switch r.what {
	case forked:
		m.fork(r)
	case ended:
		m.ended = append(m.ended, endedProcess{r.pid, r.time})
	case begunProgram:
		m.history(r.pid).add(mappingEvent{time: r.time, begun: true})
	case mappedFile:
		m.history(r.pid).add(mappingEvent{time: r.time, mapping: mapped{locate.Mapping{Start: r.start, End: r.start + r.size,
			Offset: r.offset, Device: uint64(r.device), Inode: r.inode, Perm: "r-xp", Path: r.path}, image}})
	}
}

func (m *mappingMirror) history(pid uint32) *processHistory {
	h := m.processes[pid]
	if h == nil {
		h = &processHistory{}
		m.processes[pid] = h
	}
	return h
}

// fork begins the history of a new process. Reports of one CPU are in order, those of
// several CPUs are not: reports about the child may have come first.
func (m *mappingMirror) fork(r mapRecord) {
	h := &processHistory{born: r.time, parent: m.history(r.parent), forkedBy: r.parent}
	before := m.processes[r.pid]
	if before != nil && before.born == 0 && !before.whole && (len(before.events) == 0 || before.events[0].time >= r.time) {
		// The fork is reported after what the child did.
		before.born, before.parent, before.forkedBy = h.born, h.parent, h.forkedBy
		return
	}
	if before != nil {
		i := len(before.events)
		for i > 0 && before.events[i-1].time > r.time {
			i--
		}
		h.events = slices.Clone(before.events[i:])
		before.events = before.events[:i]
		h.previous = before
		before.previous = nil // two owners of a PID are enough
	}
	m.processes[r.pid] = h
}

// add inserts an event by its time.
func (h *processHistory) add(e mappingEvent) {
	if len(h.events) >= maxHistory {
		h.events = slices.Clone(h.events[len(h.events)/2:])
	}
	i := len(h.events)
	for i > 0 && h.events[i-1].time > e.time {
		i--
	}
	h.events = slices.Insert(h.events, i, e)
}

// forget drops processes that ended some time ago.
func (m *mappingMirror) forget() {
	n := 0
	for n < len(m.ended) && m.now > m.ended[n].at+keepEnded {
		// Its children refer to what they need of it. The PID may have a new owner.
		if h := m.processes[m.ended[n].pid]; h != nil && h.born <= m.ended[n].at {
			delete(m.processes, m.ended[n].pid)
		} else if h != nil {
			h.previous = nil
		}
		n++
	}
	m.ended = m.ended[n:]
}
