package event

import (
	"time"

	"trapline/format"
	"trapline/internal/expr"
)

// An Event is an event as the user wrote it, before anything is looked up on the machine.
// [Event.String] returns its canonical spelling.
type Event struct {
	Syntax *Syntax // of the event's kind
	Text   string  // the text as given
	Origin string  // file and line of the event; "" for the command line
	Alias  string  // name for the probe; "" means none

	// System is the tracepoint's group and may contain globs. For other kinds it is set
	// for perf's probe:FUNCTION, probe_LIB:FUNCTION and sdt_PROVIDER:NAME: if tracefs has
	// an event System:Name, which perf probe has created, the event means that one.
	System string
	// Name is a tracepoint, function, USDT probe or timed event; "" if Offset or Line
	// alone gives the place.
	Name  string
	Match Match // how Name and Provider are matched

	Module   string // kernel module, or vmlinux for the core kernel; "" means any
	Binary   string // program: path, soname, short library name, or * for everything the process maps
	Provider string // USDT provider, may contain globs; "" means any
	Source   string // source file, or a suffix of its path; "" means any

	// Line is a line of Source, counted from 1, if Name is "". Otherwise it counts from
	// the line of the function's declaration, as perf probe counts, and 0 means none.
	Line int
	// Offset is in bytes from the function. If Name is "", it is a file offset or, in the
	// kernel, an address.
	Offset uint64

	Access    Access // watchpoints, whose address is Offset
	Length    uint8  // watchpoints: bytes
	Frequency uint64 // timed events: hits per second; 0 means the default

	Conditions []*expr.Expr // a hit is recorded only if all of them hold
	Args       []Arg
	Modifiers  Modifiers
}

// A Match says how a name is matched.
type Match uint8

const (
	MatchExact  Match = iota
	MatchGlob         // * ? [a-z] {a,b}
	MatchRegexp       // package regexp, matching anywhere in the name
)

// Access is the kind of access that a watchpoint hits at.
type Access uint8

const (
	AccessRead Access = 1 << iota
	AccessWrite
	AccessExecute
)

func (a Access) String() string {
	s := ""
	for i, letter := range [...]string{"r", "w", "x"} {
		if a&(1<<i) != 0 {
			s += letter
		}
	}
	return s
}

// Modifiers change what is recorded of an event's hits. A zero field leaves the choice to
// the options of the recording.
type Modifiers struct {
	Stack       StackChoice
	Depth       int           // frames per stack
	Rate        uint64        // maximum hits per second
	Every       uint64        // record one hit in Every
	Max         uint64        // maximum number of hits
	MinDuration time.Duration // for return hits: minimum duration of the call
	StringSize  int           // maximum bytes per string
}

// A StackChoice says which stacks are recorded with a hit.
type StackChoice uint8

const (
	StackDefault StackChoice = iota
	StackNone
	StackKernel
	StackUser
	StackBoth
)

var stackNames = [...]string{StackNone: "none", StackKernel: "k", StackUser: "u", StackBoth: "ku"}

// ReturnSuffix ends the names of perf probe's events at returns.
const ReturnSuffix = "__return"

// ProfileName is the timed event whose spelling includes a frequency.
const ProfileName = "profile"

// MaxRate is the highest rate limit in hits per second. Intervals are in ns.
const MaxRate = 1e9

// MeasuresCalls reports whether the event's hits can have the duration of a call.
func (e *Event) MeasuresCalls() bool {
	if e.Syntax.MeasuresCalls != nil {
		return e.Syntax.MeasuresCalls(e)
	}
	return e.Syntax.AtReturn()
}

// A Syntax describes how events of one kind are spelled and what they may ask for.
type Syntax struct {
	Kind format.ProbeKind
	// Spellings are the words before the colon. The first is the canonical one.
	Spellings []string
	Form      Form
	// Words are events that are spelled without their kind. It maps all their names to
	// the canonical ones.
	Words map[string]string

	// ReturnOf is the kind that probes the entry of the calls at whose return this kind
	// hits. ProbeUnknown means that this kind does not hit at returns.
	ReturnOf format.ProbeKind
	// MeasuresCalls reports whether the hits of an event can have the duration of a call.
	// nil means that hits at returns can.
	MeasuresCalls func(*Event) bool

	InPrograms bool // arguments are in a user program
	Arguments  bool // hits have function arguments or tracepoint fields
	Registers  bool // hits have registers and stack words
	Offsets    bool // FUNCTION+OFFSET is allowed
	Addresses  bool // a kernel address alone is allowed
}

// Name returns the canonical spelling of the kind.
func (s *Syntax) Name() string { return s.Spellings[0] }

// AtReturn reports whether events of the kind hit when a function returns.
func (s *Syntax) AtReturn() bool { return s.ReturnOf != format.ProbeUnknown }

// A Form is what follows the kind in an event's spelling.
type Form uint8

const (
	FormTracepoint     Form = iota // SYSTEM:EVENT
	FormRawTracepoint              // [MODULE:]EVENT
	FormKernelFunction             // [MODULE:]FUNCTION[+OFFSET], or an address
	FormUserFunction               // BINARY:FUNCTION[@FILE][:LINE|+OFFSET], BINARY:OFFSET, BINARY@FILE:LINE
	FormUSDT                       // BINARY:[PROVIDER:]NAME
	FormWatchpoint                 // ADDRESS:LENGTH:ACCESS
	FormTimed                      // the rest of the word: nothing, or :hz:FREQUENCY
)
