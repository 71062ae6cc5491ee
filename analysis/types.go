package analysis

import "trapline/format"

// An Image is a file or region that code runs from. Equal images of all segments
// and captures are one pointer.
type Image struct {
	Kind    format.ImageKind
	Path    string // as the recorded process saw it
	BuildID string // lower-case hex; "" when unknown
}

// A Call is one function activation at a code address. The calls of equal frames
// are the same pointers.
type Call struct {
	Function string // demangled, or as linked when demangling is off; "" when the address has no name
	Linkage  string // as in the symbol table
	File     string
	Line     int    // 0 unknown
	Image    *Image // nil: no image is known
	Offset   uint64 // of the frame in Image; the address itself when Image is nil
	// FunctionOffset is the distance in bytes from the function's first
	// instruction; 0 for inlined calls.
	FunctionOffset uint64
	Kernel         bool
	Inlined        bool // into the next call of its frame
	// Guessed: the frame was found by following the frame pointer, for want of unwind
	// information, and may not be the caller.
	Guessed bool

	// Truncated marks the stand-in for the frames that are missing beyond the
	// outermost known one. Function then is "[truncated: REASON]" and nothing
	// else but Kernel is set.
	Truncated bool

	symbol symbolID
	index  uint32 // dense over all calls, from 1
}

// A Frame is one code address of a stack with the calls that it stands for:
// innermost first, so all but the last were inlined into the next one. There is
// always at least one call. Equal frames of all segments and captures are one
// pointer.
type Frame struct {
	Image  *Image // nil: no image is known
	Offset uint64 // in Image; the address itself when Image is nil
	Flags  format.FrameFlags
	Calls  []*Call
}

// A Stack is a kernel or user stack, innermost frame first. Equal stacks of all
// segments and captures are one pointer.
type Stack struct {
	ID     int // dense, from 0, in order of first use
	Kernel bool
	Cut    format.StackCut
	Frames []*Frame
	// Calls are the calls of all frames. If the stack is cut, the last one is a
	// stand-in that says why (see [Call.Truncated]).
	Calls []*Call
}

// A Task is a thread under one name.
type Task struct {
	PID, TID uint32
	Comm     string
}

// A Probe is a probe site. Probes of the same name and fields are one pointer.
type Probe struct {
	Name   string
	Event  string // as the user asked for it, before globs were expanded
	Kind   format.ProbeKind
	Period uint64 // what one hit stands for; at least 1
	Fields []Field
	marks  markColumns
}

// A Field is one argument of a probe's hits.
type Field struct {
	Name  string
	Type  format.FieldType
	Size  int         // bytes of one element; 0 for strings and bytes
	Count int         // elements: 1, or the length of a fixed array
	Names *ValueNames // nil: numbers have none

	column int // first one of the shape's
	mark   int // its bit in marks: the place in the shape
}

// A ValueState says how much of an argument was recorded.
type ValueState uint8

const (
	ValueWhole  ValueState = iota
	ValueUnread            // it lay in memory that could not be read
	ValueCut               // it is the beginning of a longer text
)

// A Value is one argument of a hit.
type Value struct {
	Field   *Field   // nil: the probe has no such argument
	Number  uint64   // the (first) element; signed ones are sign-extended
	Numbers []uint64 // all elements of a fixed array; nil otherwise
	Text    string   // of strings and bytes, as recorded
	Symbol  *Call    // of FieldSymbol; nil when the address was not captured
	State   ValueState
}

// A Header describes one part of a capture: one recording.
type Header struct {
	Input      string // name of the input that holds it
	Properties []format.Property
	Clock      format.Clock // at the start of the first segment
	// Start and End are the times of the first and last hits, in ns of the
	// recording's clock. Both are 0 without hits.
	Start, End uint64
	Hits       uint64 // all of them, before any filter
}

// Get returns the value of a property, "" if there is none.
func (h *Header) Get(key string) string {
	for _, p := range h.Properties {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// A Sample is a group of hits that are alike in everything that a [Query] asked
// for. The fields that it did not ask for are zero.
type Sample struct {
	Task         Task
	Process      string // name of the main thread of the process Task.PID
	CPU          int
	Probe        *Probe
	Kernel, User *Stack
	Args         []Value // in the order of Query.Args
	Hits         uint64
	Weight       uint64 // hits times the period of their probes
}

// An Event is one hit. It and its slices are valid until the function that was
// given it returns; what its pointers point to may be kept.
type Event struct {
	Time         uint64 // ns of the recording's clock
	Task         *Task
	CPU          int
	Probe        *Probe
	Kernel, User *Stack
	Args         []Value // one for each of Probe.Fields
	Header       *Header
}

// A Result is what [Aggregate] and [Each] found out about the captures.
type Result struct {
	Headers []*Header
	Quality Quality
	Probes  []*Probe // all that the captures name, in order of first use
	// Totals are the hits of each probe that pass the filter on probes and CPUs,
	// whatever else the filter says: what shares are shares of.
	Totals  map[*Probe]uint64
	Samples []Sample // of Aggregate
}
