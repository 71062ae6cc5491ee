package bpf

// The events that programs write to the rings, as event.h defines them. The
// generated structures exist only for Linux on x86-64 and arm64. These constants
// let other platforms decode events too; tests compare them with the C headers.

// Kinds of events: the first byte of each.
const (
	EventHit         = 1
	EventKernelStack = 2
	EventUserStack   = 3
	EventMemory      = 4
	EventRawStack    = 5
)

// Sizes of events in bytes.
const (
	HitSize       = 56  // struct hit, without its record
	StackSize     = 40  // struct stack, without its frames
	UserFrameSize = 40  // struct user_frame
	MemorySize    = 24  // struct memory, without its bytes
	RawStackSize  = 248 // struct raw_stack
)

// HitRecordCut is set in a hit's flags if its record was longer than MaxRecord.
const HitRecordCut = 1

// Flags of stacks and of raw stacks.
const (
	StackAgain    = 1 // sent before; compare the two
	StackVerify   = 2 // a raw stack to compare with the walked stack of the same hash
	StackRelative = 4 // the hash is over places in images, not over addresses
)

// Results of looking up a frame's mapping. 0 means that it could not be looked up.
const (
	MappingCode   = 1
	MappingNoCode = 2 // nothing executable is mapped there
)

// How a frame was found.
const (
	FrameExact   = 1 // the address is that of an instruction, not a return address
	FrameGuessed = 2 // the caller was found by frame pointer
)

// Image keys that do not name a file.
const (
	ImageAnonymous = 1 // this bit is set for memory without a file
	KernelImage    = 2 // the kernel and its modules
	VDSOImage      = 4

	// VDSODevice is the device of frames in the vdso.
	VDSODevice = 0xffffffff
)

// Indices into HooksCounts.N.
const (
	CountRecorded = iota
	CountFiltered
	CountSampled
	CountRingFull
	CountRecursion
	CountUnreadable
)
