package probe

import "trapline/format"

// A Probe is one attach point.
type Probe struct {
	Kind     format.ProbeKind
	Name     string // the alias, or sched:sched_switch, kprobe:vfs_read, uprobe:libc.so.6:malloc, cpu-clock
	Event    string // Event.Text
	Group    string // tracepoint's group
	Function string // tracepoint, kernel function or symbol of the program; "" for a file offset
	Module   string // kernel module that Function is in; "" the core kernel
	Path     string // uprobes: the file to open, symbolic links resolved
	Offset   uint64 // kprobe: bytes from Function; uprobe: file offset of the instruction
	Address  uint64 // of Function in the kernel; 0: not known

	// Sites are the places of a probe that has several, or such as the fields above do
	// not describe; see Places.
	Sites []Site
	// AtReturns: the places are instructions that return, each to be probed as such,
	// since the program does not bear having return addresses replaced.
	AtReturns bool
	// Notes say what a user would not expect of the probe.
	Notes []string

	// Fields lay out the record that the program sends, in order of columns.
	Fields []Field
	// Fetch is what the program reads into the record itself, where it is not a
	// tracepoint's own.
	Fetch []Fetch
	// MarksAt is where the record says which values could not be read (4 bytes, a
	// bit for each field) and which were cut (4 bytes); 0: nowhere.
	MarksAt uint16
	// RecordSize is the size in bytes of the record's fixed part, the 8 common
	// bytes that are not sent included.
	RecordSize uint16
	// DataLocs are the record offsets of the words that say where dynamic fields
	// lie, at most bpf.MaxDataLocs. bpf.DataLocRelative is set in those of __rel_loc.
	DataLocs []uint16

	// recordNames are the names of all fields of a tracepoint of which some were chosen.
	recordNames []string

	// DurationAt is the record offset of the field that says how long the call took
	// that returns here, in ns; 0: nowhere. It is unreadable where the program has not
	// seen the call begin.
	DurationAt uint16
	// DurationMark is that field's bit in the marks.
	DurationMark uint8
	// Entry is the file offset of the function's first instruction if AtReturns.
	Entry uint64

	Watch *Watch // of a watchpoint

	// PerfType, PerfConfig and Frequency (hits per second, 0 the default) open a
	// timed event: struct perf_event_attr.
	PerfType   uint32
	PerfConfig uint64
	Frequency  uint64
	PerfPeriod uint64 // events a hit, in the place of Frequency; 0 none

	Limits Limits
	Stack  StackChoice // which stacks its hits have
	Depth  int         // frames of each stack; 0: as many as the recording says
	Filter *Filter     // nil: all hits are wanted
}

// A Field is where one argument lies in a record. Offsets count from the start of
// the trace record, whose first 8 bytes (common_type … common_pid) are never sent:
// they are at least 8 for tracepoints and functions alike.
type Field struct {
	Name     string
	Type     format.FieldType
	Offset   uint16
	Size     uint16 // bytes of one element; of the whole where Type is FieldString or FieldBytes
	Count    uint16 // elements of a fixed integer array; 1 otherwise
	Dynamic  bool   // a u32 at Offset holds length<<16 | record offset
	Relative bool   // Dynamic, and the offset counts from the end of the u32
	Show     Show   // FieldString: how the bytes in the record become text
	Names    string // what numbers are called, as format.Field.Names
	CType    string // as the program or the kernel declares it; "" not known
}

// commonSize is the size of the common fields at the start of a trace record.
const commonSize = 8

// A Show is how the bytes of a text in the record become text.
type Show uint8

const (
	ShowText     Show = iota // they are it, up to a NUL
	ShowIPv4                 // 4 bytes in network order
	ShowIPv6                 // 16 bytes in network order
	ShowSockaddr             // struct sockaddr_in, sockaddr_in6 or sockaddr_un
)
