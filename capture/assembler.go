package capture

import (
	"time"

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
