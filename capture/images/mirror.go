package images

import (
	"slices"

	"trapline/capture/locate"
)

// A mappingMirror records what each process has mapped at what time, from the kernel's
// reports. Stacks are unwound later than they were taken: by then the process may have
// mapped other code, executed another program, or ended, and its PID may have had many
// other owners. Each owner has its own history.
type mappingMirror struct {
	processes map[uint32][]*processHistory // owners of each PID, by birth
	owners    int                          // of all PIDs
	ended     []endedProcess
	now       uint64 // time of the newest stack looked up
	forgotten uint64 // time up to which the ends of processes may have been forgotten
}

// A processHistory is the sequence of a process's mappings, ordered by time.
type processHistory struct {
	born   uint64          // ns, CLOCK_MONOTONIC; 0 if its birth was not reported
	ended  uint64          // 0 if its end was not reported
	whole  bool            // includes what was mapped before the recording
	parent *processHistory // whose mappings it inherited
	// forkedBy is the PID of the parent, or 0 if unknown.
	forkedBy uint32
	next     *processHistory // the next owner of the PID
	until    uint64          // when a forgotten next owner was born, or 0
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
	// maxMirrored limits the processes kept, maxHistory the mappings of each. Beyond it,
	// the processes that ended first are dropped.
	maxMirrored = 1 << 15
	maxHistory  = 1 << 14
	// maxAncestors limits the ancestors that a lookup visits.
	maxAncestors = 64
)

func newMappingMirror() *mappingMirror {
	return &mappingMirror{processes: make(map[uint32][]*processHistory)}
}

// set records the executable mappings that a process has at the start of the recording.
func (m *mappingMirror) set(pid uint32, maps []mapped) {
	h := &processHistory{whole: true}
	for _, p := range maps {
		h.events = append(h.events, mappingEvent{mapping: p})
	}
	if len(h.events) > 0 && m.owners < maxMirrored {
		m.owners += 1 - len(m.processes[pid])
		m.processes[pid] = []*processHistory{h}
	}
}

// at returns the mapping at an address of a process at a time, or nil. known is false if
// the mirror does not know the process's mappings at that time.
func (m *mappingMirror) at(pid uint32, address, time uint64) (mapping *mapped, known bool) {
	m.now = max(m.now, time)
	h := m.owner(pid, time)
	for range maxAncestors {
		if h == nil {
			return nil, false
		}
		for i := len(h.events) - 1; i >= 0; i-- {
			e := &h.events[i]
			if e.time > time {
				continue
			}
			if e.begun {
				return nil, true
			}
			if e.mapping.covers(address) {
				return &e.mapping, true
			}
		}
		if h.whole {
			return nil, true
		}
		time = min(time, h.born)
		h = h.parent.ownerAt(time)
	}
	return nil, false
}

func (p *mapped) covers(address uint64) bool {
	return address-p.Start < p.End-p.Start
}

// unchanged reports whether the reports prove that, since a time, a process still has the
// program and the mapping at an address that it had.
func (m *mappingMirror) unchanged(pid uint32, address, since uint64) bool {
	if since <= m.forgotten {
		return false
	}
	h := m.owner(pid, since)
	if h == nil {
		return len(m.processes[pid]) == 0
	}
	for i := len(h.events) - 1; i >= 0 && h.events[i].time > since; i-- {
		if e := &h.events[i]; e.begun || e.mapping.covers(address) {
			return false
		}
	}
	return h.next == nil
}

// lives reports whether the end of the process that owned a PID at a time was not
// reported yet. The kernel reports the end before it gives the PID to another process.
func (m *mappingMirror) lives(pid uint32, since uint64) bool {
	h := m.owner(pid, since)
	return h == nil || h.ended == 0
}

// owner returns the process that owned a PID at a time, or nil.
func (m *mappingMirror) owner(pid uint32, time uint64) *processHistory {
	owners := m.processes[pid]
	if i := bornAfter(owners, time); i > 0 {
		return owners[i-1]
	}
	return nil
}

// bornAfter returns the index of the first owner born after a time. Most lookups are for
// the newest owners.
func bornAfter(owners []*processHistory, time uint64) int {
	i := len(owners)
	for i > 0 && owners[i-1].born > time {
		i--
	}
	return i
}

// ownerAt returns the owner of h's PID at a time after h was born. The report of an owner
// may come after those of its children.
func (h *processHistory) ownerAt(time uint64) *processHistory {
	for h != nil && h.next != nil && h.next.born <= time {
		h = h.next
	}
	if h != nil && h.until != 0 && h.until <= time {
		return nil
	}
	return h
}

// parent returns the process that forked the newest owner of a PID, or 0 if that was
// before the recording.
func (m *mappingMirror) parent(pid uint32) uint32 {
	if owners := m.processes[pid]; len(owners) > 0 {
		return owners[len(owners)-1].forkedBy
	}
	return 0
}

func (m *mappingMirror) take(r mapRecord, image *Image) {
	switch r.what {
	case forked:
		m.fork(r)
	case ended:
		m.ended = append(m.ended, endedProcess{r.pid, r.time})
		h := m.history(r.pid, r.time)
		h.ended = max(h.ended, r.time)
	case begunProgram:
		m.history(r.pid, r.time).add(mappingEvent{time: r.time, begun: true})
	case mappedFile:
		m.history(r.pid, r.time).add(mappingEvent{time: r.time, mapping: mapped{locate.Mapping{Start: r.start, End: r.start + r.size,
			Offset: r.offset, Device: uint64(r.device), Inode: r.inode, Perm: "r-xp", Path: r.path}, image}})
	}
	for (m.owners > maxMirrored || len(m.ended) > maxMirrored) && len(m.ended) > 0 {
		m.forgetFirst()
	}
	if m.owners > maxMirrored {
		m.forgotten = max(m.forgotten, r.time)
		clear(m.processes)
		m.owners = 0
	}
}

// history returns the history of the process that owned a PID at a time.
func (m *mappingMirror) history(pid uint32, time uint64) *processHistory {
	h := m.owner(pid, time)
	if h == nil {
		h = &processHistory{}
		m.insert(pid, 0, h)
	}
	return h
}

// insert makes h the owner of a PID from its birth on. i is its index among the owners.
func (m *mappingMirror) insert(pid uint32, i int, h *processHistory) {
	owners := m.processes[pid]
	if i > 0 {
		owners[i-1].next = h
	}
	if i < len(owners) {
		h.next = owners[i]
	}
	m.processes[pid] = slices.Insert(owners, i, h)
	m.owners++
}

// fork begins the history of a new process. Reports of one CPU are in order, those of
// several CPUs are not: reports about the child may have come first.
func (m *mappingMirror) fork(r mapRecord) {
	h := &processHistory{born: r.time, parent: m.history(r.parent, r.time), forkedBy: r.parent}
	i := bornAfter(m.processes[r.pid], r.time)
	if i > 0 {
		before := m.processes[r.pid][i-1]
		n := len(before.events)
		for n > 0 && before.events[n-1].time > r.time {
			n--
		}
		h.events = slices.Clone(before.events[n:])
		before.events = before.events[:n]
		if before.ended > r.time {
			h.ended, before.ended = before.ended, 0
		}
	}
	m.insert(r.pid, i, h)
}

// add inserts an event by its time.
func (h *processHistory) add(e mappingEvent) {
	if len(h.events) >= maxHistory {
		h.events = slices.Clone(h.events[len(h.events)/2:])
		// What was mapped before is unknown now.
		h.whole, h.parent = false, nil
	}
	i := len(h.events)
	for i > 0 && h.events[i-1].time > e.time {
		i--
	}
	h.events = slices.Insert(h.events, i, e)
}

// forget drops processes that ended some time ago.
func (m *mappingMirror) forget() {
	for len(m.ended) > 0 && m.now > m.ended[0].at+keepEnded {
		m.forgetFirst()
	}
}

// forgetFirst drops the process that ended first, and earlier owners of its PID. Its
// children refer to what they need of it.
func (m *mappingMirror) forgetFirst() {
	e := m.ended[0]
	m.ended = m.ended[1:]
	m.forgotten = max(m.forgotten, e.at)
	owners := m.processes[e.pid]
	n := bornAfter(owners, e.at)
	if n > 0 {
		// The end of the first thread is not that of a process that maps code later.
		if events := owners[n-1].events; len(events) > 0 && events[len(events)-1].time > e.at {
			n--
		}
	}
	for _, h := range owners[:n] {
		if h.next != nil {
			h.until, h.next = h.next.born, nil // or a chain of all owners would be kept
		}
	}
	m.owners -= n
	if n == len(owners) {
		delete(m.processes, e.pid)
	} else {
		m.processes[e.pid] = slices.Clone(owners[n:])
	}
}
