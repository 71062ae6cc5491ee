package capture

import (
	"slices"
	"strings"

	"trapline/capture/probe"
)

// A mappingMirror holds what processes had mapped at what time, by what the kernel
// reported: stacks are looked at later than they were taken, when their process
// may have mapped other code, begun another program, or ended.
type mappingMirror struct {
	processes map[uint32]*processHistory
	ended     []endedProcess
	now       uint64 // time of the newest stack looked at
}

// A processHistory is what a process mapped, in the order of time.
type processHistory struct {
	whole  bool            // begins with all that was mapped
	parent *processHistory // up to the time of the fork
	forked uint64
	events []mappingEvent
}

type mappingEvent struct {
	time    uint64 // ns, CLOCK_MONOTONIC
	begun   bool   // another program: all mappings are gone
	mapping probe.Mapping
}

type endedProcess struct {
	pid uint32
	at  uint64 // ns, CLOCK_MONOTONIC
}

const (
	// What a process had mapped is kept until stacks are looked at that were taken
	// so many ns after its end.
	keepEnded = 5e9
	// maxMirrored bounds the processes that are held, maxHistory what is held of each.
	maxMirrored = 1 << 15
	maxHistory  = 1 << 14
	// maxAncestors bounds how far back a process's mappings are looked for.
	maxAncestors = 64
)

func newMappingMirror() *mappingMirror {
	return &mappingMirror{processes: make(map[uint32]*processHistory)}
}

// set takes in all mappings that a process has at the beginning.
func (m *mappingMirror) set(pid uint32, maps []probe.Mapping) {
	h := &processHistory{whole: true}
	for _, p := range maps {
		if strings.Contains(p.Perm, "x") {
			h.events = append(h.events, mappingEvent{mapping: p})
		}
	}
	if len(h.events) > 0 && len(m.processes) < maxMirrored {
		m.processes[pid] = h
	}
}

// at finds what a process had mapped at an address at a time. known is false if
// nothing is known of the process then.
func (m *mappingMirror) at(pid uint32, address, time uint64) (mapping *probe.Mapping, known bool) {
	m.now = max(m.now, time)
	h := m.processes[pid]
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
		time = min(time, h.forked)
		h = h.parent
	}
	return nil, known
}

// process returns a process's history, which may have no beginning yet.
func (m *mappingMirror) process(pid uint32) *processHistory {
	h := m.processes[pid]
	if h == nil {
		h = &processHistory{}
		m.processes[pid] = h
	}
	return h
}

func (m *mappingMirror) take(r mmapRecord) {
	if len(m.processes) >= maxMirrored {
		clear(m.processes)
	}
	h := m.processes[r.pid]
	switch r.what {
	case forked:
		// Each CPU's reports come in order, but not those of several: what the
		// child did may be known already.
		reported := h != nil && h.forked == 0 && !h.whole && (len(h.events) == 0 || h.events[0].time >= r.time)
		if !reported { // it is new, or the number of one that has ended
			h = &processHistory{}
			m.processes[r.pid] = h
		}
		h.parent, h.forked = m.process(r.parent), r.time
		return
	case ended:
		m.ended = append(m.ended, endedProcess{r.pid, r.time})
		return
	}
	h = m.process(r.pid)
	if len(h.events) >= maxHistory {
		h.events = h.events[len(h.events)/2:]
	}
	e := mappingEvent{time: r.time, begun: r.what == begunProgram}
	if !e.begun {
		e.mapping = probe.Mapping{Start: r.start, End: r.start + r.size, Offset: r.offset,
			Device: uint64(r.device), Inode: r.inode, Perm: "r-xp", Path: r.path}
	}
	i := len(h.events)
	for i > 0 && h.events[i-1].time > e.time {
		i--
	}
	h.events = slices.Insert(h.events, i, e)
}

// forget drops the processes that ended some time ago.
func (m *mappingMirror) forget() {
	n := 0
	for n < len(m.ended) && m.now > m.ended[n].at+keepEnded {
		// Its children hold what they need of it.
		delete(m.processes, m.ended[n].pid)
		n++
	}
	m.ended = m.ended[n:]
}
