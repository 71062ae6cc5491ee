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

// An unwinder handles the stacks that BPF programs need help with.
type unwinder interface {
	// Unwind unwinds a raw stack and teaches the programs to walk the next one like it.
	Unwind(r *ring.RawStack, memory []unwind.Memory) ([]images.Frame, format.StackCut)
	// TeachKernel gives the programs the rules of the places on a kernel stack.
	TeachKernel(s *ring.Stack)
}

// A taskKey identifies the task of a hit.
type taskKey struct {
	pid, tid uint32
	comm     [16]byte
}

// An assembler decodes events and writes the hits and everything that they refer to. It
// makes no system calls.
type assembler struct {
	w        *format.Writer
	code     codeFinder
	unwinder unwinder // nil if programs send no raw stacks
	probes   []assembledProbe
	segment  openSegment
	raw      incomingRaw
	pending  pendingHits

	// Stacks by hash. A new segment has a new epoch, which changes all hashes and makes
	// programs send every stack again. Hits still in the rings have hashes of the
	// previous segment, kept in older.
	stacks, older *stackTable
	frames        frameTable
	indices       []frameIndex     // scratch space for one stack
	ids           []format.FrameID // scratch space for one stack

	hit    format.Hit
	later  uint64 // one second after recording started, in ns, CLOCK_MONOTONIC
	counts assembled
}

// An openSegment is the state of the open segment. IDs of other segments are invalid.
type openSegment struct {
	number uint64
	opened time.Time
	begin  uint64 // ns, CLOCK_MONOTONIC

	located     []images.Frame // by format.FrameID
	kernelNamed int            // kernel frames before this one are named

	tasks  map[taskKey]format.TaskID
	recent []recentTask // by CPU
}

type recentTask struct {
	key taskKey
	id  format.TaskID
}

// An incomingRaw holds what arrives with raw stacks.
type incomingRaw struct {
	memory      map[uint64][]unwind.Memory // of raw stacks that have not arrived yet, by hash
	differences []string                   // the first stacks that failed verification
}

// A pendingHits holds hits that wait for a stack from another ring.
type pendingHits struct {
	hits   [][]byte // each after its CPU
	rounds int      // since the oldest one arrived
}

type assembledProbe struct {
	probe   *probe.Probe
	decoder recordDecoder
	depth   int // maximum frames of its stacks
	id      format.ProbeID
	stats   []probeStats // by CPU
}

type probeStats struct {
	recorded uint64
}

// assembled counts what an assembler processed.
type assembled struct {
	Hits            uint64 // written
	Undecodable     uint64 // invalid events
	StacksLost      uint64 // hits written without their stack
	StacksCompared  uint64 // stacks sent again and compared
	StacksDifferent uint64 // compared stacks that differed: two stacks with one hash
	RawStacks       uint64 // stacks unwound in user space
	RawLater        uint64 // raw stacks taken after later
	RawBytes        uint64 // memory sent with them
	Verified        uint64 // stacks walked by programs and unwound in user space
	Unverified      uint64 // verified stacks that differed
	RecordsCut      uint64 // hits whose arguments did not fit in a record
}

// maxFrames limits the distinct frames kept from one segment to the next.
const maxFrames = 1 << 18

func newAssembler(w *format.Writer, code codeFinder, u unwinder, settings *attach.Settings, cpus int) *assembler {
	a := &assembler{w: w, code: code, unwinder: u, segment: openSegment{recent: make([]recentTask, cpus)},
		raw: incomingRaw{memory: make(map[uint64][]unwind.Memory)}}
	for i := range settings.Probes {
		p := &settings.Probes[i]
		a.probes = append(a.probes, assembledProbe{
			probe: p, decoder: newRecordDecoder(p.Fields), depth: settings.Depth(p), stats: make([]probeStats, cpus)})
	}
	return a
}

// startSegment opens a segment and forgets all IDs of the previous one.
func (a *assembler) startSegment(c format.Clock) error {
	if err := a.w.StartSegment(c); err != nil {
		return err
	}
	a.segment.number++
	a.segment.opened = time.Now()
	a.older, a.stacks, a.segment.begin = a.stacks, newStackTable(), c.Monotonic
	if len(a.frames.frames) > maxFrames {
		// Stacks of hits still in the rings are lost. Those sent again bring their
		// frames.
		a.older = nil
		a.frames = frameTable{}
	}
	a.segment.tasks = make(map[taskKey]format.TaskID)
	clear(a.segment.recent)
	a.segment.located = append(a.segment.located[:0], images.Frame{})
	a.segment.kernelNamed = 1
	for i := range a.probes {
		p := &a.probes[i]
		p.id = a.w.Probe(format.Probe{Kind: p.probe.Kind, Name: a.w.String(p.probe.Name),
			Event: a.w.String(p.probe.Event), Shape: p.decoder.shape(a.w), Period: p.probe.Period()})
	}
	return nil
}
