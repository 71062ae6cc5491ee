package format

import "strconv"

// IDs of dictionary entries. They count from 1, in order of first use in the
// segment. 0 means none.
type (
	StringID uint32
	ImageID  uint32
	FrameID  uint32
	StackID  uint32
	TaskID   uint32
	ShapeID  uint32
	ProbeID  uint32
)

// An ImageKind tells what an image is, and what the offsets of its frames are relative to.
type ImageKind uint8

const (
	ImageUnknown ImageKind = iota // not identified: relative to the start of the mapped file
	ImageELF                      // a mapped file: file offsets
	ImageKernel                   // vmlinux: relative to the symbol _text
	ImageModule                   // a kernel module: relative to its load address
	ImageBPF                      // one BPF program or trampoline: relative to its start
	ImageVDSO                     // the vdso: relative to its start
	ImageJIT                      // anonymous executable memory: addresses
)

// An Image is a file or memory region that code runs from.
type Image struct {
	Kind    ImageKind
	Path    StringID // as the recorded process saw it; else "[kernel.kallsyms]", "[vdso]", "[module]"
	BuildID StringID // raw bytes of the ELF note NT_GNU_BUILD_ID; 0 if unknown
	Device  uint64   // st_dev of a mapped file, as the kernel encodes it: major<<20 | minor
	Inode   uint64
}

// FrameFlags qualify a frame's offset.
type FrameFlags uint8

const (
	// FrameReturn marks a return address: the call instruction ends at Offset, so
	// symbols are looked up at Offset-1.
	FrameReturn FrameFlags = 1 << iota
	// FrameGuessed marks a frame found by following the frame pointer in code
	// without unwind information.
	FrameGuessed
)

// A FrameKind is the kind of code that a frame belongs to. Readers show unknown kinds
// as native.
type FrameKind uint8

const (
	FrameNative FrameKind = iota
)

// A Frame is one code address, independent of where its image was loaded.
type Frame struct {
	Image  ImageID // 0 if unknown; then Offset is an address
	Kind   FrameKind
	Flags  FrameFlags
	Offset uint64 // bytes, relative to what the image's kind says
}

// A StackCut tells why a stack ends before the thread's outermost frame.
type StackCut uint8

const (
	CutNone       StackCut = iota // complete, as far as known
	CutDepth                      // the limit on frames was reached
	CutUnreadable                 // stack memory could not be read
	CutNoRule                     // no way to unwind from the last frame
	CutBudget                     // the budget for sending raw stacks was used up
)

func (c StackCut) String() string {
	switch c {
	case CutNone:
		return "complete"
	case CutDepth:
		return "depth limit reached"
	case CutUnreadable:
		return "stack memory not readable"
	case CutNoRule:
		return "no unwind rule"
	case CutBudget:
		return "unwind budget used up"
	}
	return "cut " + strconv.Itoa(int(c))
}

// A Stack is a list of frames of one address space, innermost (leaf) first.
type Stack struct {
	Kernel bool // a kernel stack; otherwise a user stack
	Cut    StackCut
	Frames []FrameID
}

// A Task is a thread with its name. A thread that changes its name becomes a new task.
type Task struct {
	PID, TID uint32 // process (thread group) and thread, in the recorder's PID namespace
	Comm     StringID
}

// A ProbeKind is the kernel hook that a probe uses.
type ProbeKind uint8

const (
	ProbeUnknown ProbeKind = iota
	ProbeTracepoint
	ProbeRawTracepoint
	ProbeKprobe
	ProbeKretprobe
	ProbeFentry
	ProbeFexit
	ProbeUprobe
	ProbeUretprobe
	ProbeTimed // cpu-clock, task-clock, cycles and other perf events
	ProbeUSDT
	ProbeWatchpoint // hardware breakpoint on an address
)

var probeKindNames = [...]string{"unknown", "tracepoint", "rawtracepoint", "kprobe", "kretprobe",
	"fentry", "fexit", "uprobe", "uretprobe", "timed", "usdt", "watchpoint"}

func (k ProbeKind) String() string {
	if int(k) < len(probeKindNames) {
		return probeKindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// A Probe is one attached probe site as reports name it.
type Probe struct {
	Kind   ProbeKind
	Name   StringID // sched:sched_switch, kprobe:vfs_read, uprobe:libc.so.6:malloc
	Event  StringID // the event as the user asked for it, before globs were expanded
	Shape  ShapeID  // layout of the hits' arguments
	Period uint64   // number of hits that one recorded hit stands for: 1, or N if one in N is kept
}

// A FieldType tells how to read an argument's columns.
type FieldType uint8

const (
	FieldUint    FieldType = iota // unsigned integer
	FieldInt                      // signed integer, sign-extended to 64 bits in its column
	FieldHex                      // unsigned integer shown in hexadecimal
	FieldPointer                  // address of data, shown in hexadecimal
	FieldBool
	FieldChar   // one character
	FieldString // column holds a StringID: text up to the first NUL
	FieldBytes  // column holds a StringID: raw bytes
	FieldSymbol // kernel code address: column holds a FrameID
	FieldUnread // one bit per field of the shape: its value could not be read
	FieldCut    // one bit per field of the shape: its value was longer than what was kept
)

// Mark reports whether fields of the type describe the other fields. They are not
// arguments and have no name.
func (t FieldType) Mark() bool { return t == FieldUnread || t == FieldCut }

// A Field is one named argument. It takes Count consecutive columns of a hit: 1, or
// the number of elements of a fixed-size array.
type Field struct {
	Name  StringID
	Type  FieldType
	Size  uint8  // bytes of one element where it was recorded: 1, 2, 4, 8; 0 for strings and bytes
	Count uint16 // columns
	// Names gives names to numbers, as an enumeration does: "0=RUNNING 1=WAITING".
	// 0: they have no names.
	Names StringID
}

// A Shape is the list of arguments that the hits of one or more probes carry.
type Shape struct {
	Fields []Field
}

// Columns returns how many argument columns hits of the shape have.
func (s Shape) Columns() int {
	n := 0
	for _, f := range s.Fields {
		n += int(f.Count)
	}
	return n
}

// A Hit is one event: a probe that fired in a task on a CPU.
type Hit struct {
	Time        uint64 // ns of the part's clock
	CPU         uint32
	Task        TaskID
	Probe       ProbeID
	KernelStack StackID
	UserStack   StackID
	Args        []uint64 // one value per column of the probe's shape
}

// A Call is one function active at a frame's address.
type Call struct {
	Function StringID // linkage name, not demangled
	File     StringID
	Line     uint32 // 0 if unknown
	Offset   uint64 // from the function's first instruction to the frame's address; 0 for inlined calls
}

// A Symbol names a frame. The innermost call comes first: all but the last were
// inlined into the next one. Without calls, the address was looked up and has no name.
type Symbol struct {
	Frame FrameID
	Calls []Call
}

// A Cause tells what became of a hit. For each probe and CPU,
// hits = recorded + filtered + sampled out + lost.
type Cause uint8

const (
	CauseRecorded   Cause = iota + 1 // written to the capture
	CauseFiltered                    // a predicate was false
	CauseSampled                     // dropped by 1-of-N sampling or a rate limit
	CauseRingFull                    // lost: no room in the ring buffer
	CauseRecursion                   // lost: the kernel skipped the probe, because another was running on this CPU
	CauseUnreadable                  // lost: the arguments could not be read, or the record could not be decoded
	CauseMissed                      // lost: the hook itself missed it (kretprobe without a free instance)
)

var causeNames = [...]string{"", "recorded", "filtered", "sampled out", "ring full", "recursion", "unreadable", "missed"}

func (c Cause) String() string {
	if int(c) < len(causeNames) && c > 0 {
		return causeNames[c]
	}
	return "cause " + strconv.Itoa(int(c))
}

// Lost reports whether hits with the cause were lost, rather than dropped on request.
func (c Cause) Lost() bool { return c >= CauseRingFull }

// AnyCPU is the CPU of a [Count] that the kernel keeps for all CPUs together.
const AnyCPU = ^uint32(0)

// A Count is one cumulative figure of the account, from the start of the part to
// the time of its LOSS block. A probe's hits on a CPU are the sum over all causes.
type Count struct {
	Probe ProbeID
	CPU   uint32
	Cause Cause
	N     uint64
}
