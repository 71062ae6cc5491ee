package capture

import (
	"time"

	"trapline/bpf"
	"trapline/capture/attach"
	"trapline/capture/images"
	"trapline/capture/probe"
	"trapline/capture/ring"
	"trapline/capture/unwind"
	"trapline/format"
)

// An unwinder takes the stacks on which the programs need help.
type unwinder interface {
	// unwind unwinds a raw stack and sees to it that the programs can walk the next one like it.
	Unwind(r *ring.RawStack, memory []unwind.Memory) ([]images.Frame, format.StackCut)
	// teachKernel gives the programs the rules of the places on a kernel stack.
	TeachKernel(s *ring.Stack)
}

// A taskKey identifies a task as hits carry it.
type taskKey struct {
	pid, tid uint32
	comm     [16]byte
}

// An assembler decodes events and writes them as hits, with everything that they
// refer to. It makes no system calls itself.
type assembler struct {
	w        *format.Writer
	code     codeFinder
	unwinder unwinder // nil: raw stacks are not asked for
	probes   []assembledProbe
	segment  uint64 // counts segments; IDs of others are void
	started  time.Time

	located     []images.Frame // by format.FrameID
	kernelNamed int            // up to where the kernel's of them were given names

	tasks  map[taskKey]format.TaskID
	recent []recentTask // by CPU

	// Stacks by hash. A new segment's programs send every stack again, since its
	// epoch changes all hashes; hits still on their way carry hashes of the
	// segment before, kept in older.
	stacks, older *stackTable
	begun         uint64 // when the segment began, ns, CLOCK_MONOTONIC
	frames        frameTable
	indices       []frameIndex     // of one stack
	ids           []format.FrameID // of one stack

	differences []string // stacks that did not verify, the first of them

	memory map[uint64][]unwind.Memory // of raw stacks that are on their way, by hash

	pending [][]byte // hits whose stack is in a ring not read yet, with their CPU in front
	rounds  int      // since the oldest pending hit arrived

	hit    format.Hit
	later  uint64 // ns, CLOCK_MONOTONIC: a second after hits began to be recorded
	counts assembled
}

type recentTask struct {
	key taskKey
	id  format.TaskID
}

type assembledProbe struct {
	probe   *probe.Probe
	decoder recordDecoder
	depth   int // frames that its stacks have at most
	id      format.ProbeID
	stats   []probeStats // by CPU
}

type probeStats struct {
	recorded uint64
}

// assembled counts what an assembler saw.
type assembled struct {
	Hits            uint64 // written
	Undecodable     uint64 // events that made no sense
	StacksLost      uint64 // hits written without a stack that they had
	StacksCompared  uint64 // stacks sent again and compared
	StacksDifferent uint64 // … that differed: two stacks with one hash
	RawStacks       uint64 // stacks unwound here
	RawLater        uint64 // … that were taken after the time later
	RawBytes        uint64 // memory sent for them
	Verified        uint64 // stacks walked by the programs and unwound here as well
	Unverified      uint64 // … that differed
	RecordsCut      uint64 // hits whose arguments were longer than a record holds
}

// maxFrames bounds the distinct frames held from one segment to the next.
const maxFrames = 1 << 18

// keepOlder is how long after a segment's beginning a hit may still have been taken with a
// stack of the segment before, in ns.
const keepOlder = 1e9

// pendingRounds is how many rounds a hit waits for its stack. One is enough
// unless a record in front of the stack is still being written.
const pendingRounds = 50

func newAssembler(w *format.Writer, code codeFinder, u unwinder, settings *attach.Settings, cpus int) *assembler {
	a := &assembler{w: w, code: code, unwinder: u, memory: make(map[uint64][]unwind.Memory), recent: make([]recentTask, cpus)}
	for i := range settings.Probes {
		p := &settings.Probes[i]
		a.probes = append(a.probes, assembledProbe{
			probe: p, decoder: newRecordDecoder(p.Fields), depth: settings.Depth(p), stats: make([]probeStats, cpus)})
	}
	return a
}

// startSegment opens a segment and forgets every ID of the one before.
func (a *assembler) startSegment(c format.Clock) error {
	if err := a.w.StartSegment(c); err != nil {
		return err
	}
	a.segment++
	a.started = time.Now()
	a.older, a.stacks, a.begun = a.stacks, newStackTable(), c.Monotonic
	if len(a.frames.frames) > maxFrames {
		// Stacks on their way go without; those sent anew bring their frames.
		a.older = nil
		a.frames = frameTable{}
	}
	a.tasks = make(map[taskKey]format.TaskID)
	clear(a.recent)
	a.located = append(a.located[:0], images.Frame{})
	a.kernelNamed = 1
	for i := range a.probes {
		p := &a.probes[i]
		p.id = a.w.Probe(format.Probe{Kind: p.probe.Kind, Name: a.w.String(p.probe.Name),
			Event: a.w.String(p.probe.Event), Shape: p.decoder.shape(a.w), Period: p.probe.Period()})
	}
	return nil
}

// Chunk decodes one chunk of a ring's events.
func (a *assembler) chunk(c ring.Chunk) error {
	for {
		event, ok := c.Next()
		if !ok {
			return nil
		}
		if err := a.event(c.CPU, event); err != nil {
			return err
		}
	}
}

func (a *assembler) event(cpu int, event []byte) error {
	switch event[0] {
	case bpf.EventHit:
		return a.hitEvent(cpu, event, false)
	case bpf.EventKernelStack, bpf.EventUserStack:
		var s ring.Stack
		if err := ring.DecodeStack(event, &s); err != nil {
			a.counts.Undecodable++
			return nil
		}
		a.stack(&s)
		return nil
	case bpf.EventMemory:
		var m ring.Memory
		if err := ring.DecodeMemory(event, &m); err != nil {
			a.counts.Undecodable++
			return nil
		}
		a.rawMemory(&m)
		return nil
	case bpf.EventRawStack:
		var r ring.RawStack
		if err := ring.DecodeRawStack(event, &r); err != nil || a.unwinder == nil {
			a.counts.Undecodable++
			return nil
		}
		a.rawStack(&r)
		return nil
	}
	a.counts.Undecodable++
	return nil
}

// endRound is called when everything that was in any ring at one moment has been seen:
// a stack that a hit refers to was sent before the hit, so it must be there now.
func (a *assembler) endRound() error {
	if a.hit.Time > a.begun+keepOlder {
		a.older = nil
	}
	if len(a.pending) == 0 {
		return nil
	}
	a.rounds++
	waiting := a.pending
	a.pending = nil
	last := a.rounds >= pendingRounds
	for _, e := range waiting {
		if err := a.hitEvent(int(e[0])|int(e[1])<<8, e[2:], last); err != nil {
			return err
		}
	}
	if len(a.pending) == 0 || last {
		a.rounds = 0
	}
	return nil
}

// flushPending writes the hits that still wait, at the end of the recording.
func (a *assembler) flushPending() error {
	a.rounds = pendingRounds
	return a.endRound()
}

func (a *assembler) hitEvent(cpu int, event []byte, last bool) error {
	var h ring.Hit
	if err := ring.DecodeHit(event, &h); err != nil || int(h.Probe) >= len(a.probes) || cpu >= len(a.recent) {
		a.counts.Undecodable++
		return nil
	}
	p := &a.probes[h.Probe]
	kernel, ok := a.stackID(h.KernelStack, p.depth)
	user, ok2 := a.stackID(h.UserStack, p.depth)
	if !ok || !ok2 {
		if !last {
			a.pending = append(a.pending, append([]byte{byte(cpu), byte(cpu >> 8)}, event...))
			return nil
		}
		a.counts.StacksLost++
	}
	a.stacks.forget(h.UserStack)
	if h.Flags&bpf.HitRecordCut != 0 {
		a.counts.RecordsCut++
	}
	a.hit.Time = h.Time
	a.hit.CPU = uint32(cpu)
	a.hit.Task = a.task(cpu, &h)
	a.hit.Probe = p.id
	a.hit.KernelStack = kernel
	a.hit.UserStack = user
	a.hit.Args = p.decoder.decode(a.hit.Args[:0], h.Record, a.w, a.symbol)
	p.stats[cpu].recorded++
	a.counts.Hits++
	return a.w.Hit(&a.hit)
}

func (a *assembler) task(cpu int, h *ring.Hit) format.TaskID {
	key := taskKey{h.PID, h.TID, h.Comm}
	recent := &a.recent[cpu]
	if recent.id != 0 && recent.key == key {
		return recent.id
	}
	id, ok := a.tasks[key]
	if !ok {
		comm := h.Comm[:]
		for i, c := range comm {
			if c == 0 {
				comm = comm[:i]
				break
			}
		}
		id = a.w.Task(format.Task{PID: h.PID, TID: h.TID, Comm: a.w.StringBytes(comm)})
		a.tasks[key] = id
	}
	*recent = recentTask{key, id}
	return id
}
