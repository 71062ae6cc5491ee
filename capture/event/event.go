package event

import (
	"time"

	"trapline/format"
	"trapline/internal/expr"
)

// An Event is one event as the user asked for it, before anything of the machine was
// looked at. [Event.String] spells it out.
type Event struct {
	Syntax  *Syntax // of its kind
	Dialect Dialect
	Text    string // as given
	Origin  string // file and line that it is from; "" the command line
	Alias   string // name for the probe; "" none

	// System is the tracepoint's group, which may hold globs. Of other kinds it is set
	// for perf's probe:FUNCTION, probe_LIB:FUNCTION and sdt_PROVIDER:NAME: where tracefs
	// has an event System:Name (perf probe has made it), that is meant.
	System string
	// Name is a tracepoint, function, USDT probe or timed event; "" when Offset or Line
	// says the place alone.
	Name  string
	Match Match // how Name, and with it Provider, is compared

	Module   string // kernel module, vmlinux for the core kernel; "" any
	Binary   string // programs: path, soname, short library name, or * for all that the process maps
	Provider string // USDT: may hold globs; "" any
	Source   string // source file, or the end of its path; "" any

	// Line is a line of Source, from 1, when Name is "". Otherwise it counts from the
	// line of the function's declaration, as perf probe does, and 0 is none.
	Line int
	// Offset is in bytes from the function. When Name is "", it is an offset in the file,
	// or, in the kernel, an address.
	Offset uint64

	Access    Access // watchpoints, with Offset the address
	Length    uint8  // watchpoints: bytes
	Frequency uint64 // timed events: hits per second; 0 the default

	Conditions []*expr.Expr // all must hold for a hit to be recorded
	Args       []Arg
	Modifiers  Modifiers
}

// A Dialect is the tool whose spelling an event was given in. It decides nothing that
// other fields do not say.
type Dialect uint8

const (
	DialectBPFtrace  Dialect = iota // kprobe:vfs_read
	DialectPerf                     // sched:sched_switch, probe_libssl:SSL_write, cycles
	DialectPerfProbe                // main:12, main@a.c, main%return with -x or -m
	DialectFtrace                   // p:name vfs_read
)

func (d Dialect) String() string {
	return [...]string{"bpftrace", "perf", "perf probe", "ftrace"}[d]
}

// A Match is how a name is compared.
type Match uint8

const (
	MatchExact  Match = iota
	MatchGlob         // * ? [a-z] {a,b}
	MatchRegexp       // package regexp, anywhere in the name
)

// Access is what a watchpoint hits at.
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

// Modifiers change what is recorded of an event's hits. The zero value of each leaves
// it to the options of the recording.
type Modifiers struct {
	Stack       StackChoice
	Depth       int           // frames of each stack
	Rate        uint64        // hits a second, at most
	Every       uint64        // one hit in so many
	Max         uint64        // hits in all
	MinDuration time.Duration // return hits: of the call
	StringSize  int           // bytes of each string
}

// A StackChoice says which stacks a hit has.
type StackChoice uint8

const (
	StackDefault StackChoice = iota
	StackNone
	StackKernel
	StackUser
	StackBoth
)

var stackNames = [...]string{StackNone: "none", StackKernel: "k", StackUser: "u", StackBoth: "ku"}

// ReturnSuffix ends the names that perf probe gives to events at returns.
const ReturnSuffix = "__return"

// ProfileName is the timed event that takes its frequency from its spelling.
const ProfileName = "profile"

// MaxRate is the highest rate that a limit can have: times are in ns.
const MaxRate = 1e9

// MeasuresCalls reports whether the event's hits can say how long a call took.
func (e *Event) MeasuresCalls() bool {
	if e.Syntax.MeasuresCalls != nil {
		return e.Syntax.MeasuresCalls(e)
	}
	return e.Syntax.AtReturn()
}

// A Syntax says how events of one kind of probe are spelled, and what they may ask for.
type Syntax struct {
	Kind format.ProbeKind
	// Spellings are the words before the colon, the canonical one first.
	Spellings []string
	Form      Form
	// Words are events that are spelled without their kind, by all their names, with
	// the canonical names as values.
	Words map[string]string

	// ReturnOf is the kind of probe at the entry of the calls at whose return this kind
	// hits; ProbeUnknown: it does not hit at returns.
	ReturnOf format.ProbeKind
	// MeasuresCalls reports whether hits of an event can say how long a call took; nil:
	// those at returns can.
	MeasuresCalls func(*Event) bool

	InPrograms bool // arguments are a user program's
	Arguments  bool // hits have the function's arguments or the tracepoint's fields
	Registers  bool // hits have registers and stack words
	Offsets    bool // FUNCTION+OFFSET is allowed
	Addresses  bool // an address alone is allowed, in the kernel
}

// Name is the canonical spelling of the kind.
func (s *Syntax) Name() string { return s.Spellings[0] }

// AtReturn reports whether the events happen when a function returns.
func (s *Syntax) AtReturn() bool { return s.ReturnOf != format.ProbeUnknown }

// A Form is what follows the kind in an event.
type Form uint8

const (
	FormTracepoint     Form = iota // SYSTEM:EVENT
	FormRawTracepoint              // [MODULE:]EVENT
	FormKernelFunction             // [MODULE:]FUNCTION[+OFFSET], or an address
	FormUserFunction               // BINARY:FUNCTION[@FILE][:LINE|+OFFSET], BINARY:OFFSET, BINARY@FILE:LINE
	FormUSDT                       // BINARY:[PROVIDER:]NAME
	FormWatchpoint                 // ADDRESS:LENGTH:ACCESS
	FormTimed                      // the rest of a word: nothing, or :hz:FREQUENCY
)
