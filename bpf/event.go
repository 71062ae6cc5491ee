package bpf

// Sizes and kinds of the events in event.h, which also says what the fields mean.
// The structures are generated from the C ones only for Linux on x86-64 and
// arm64; these constants let events be decoded anywhere, and a test holds them
// to the generated structures.
const (
	EventHit         = 1
	EventKernelStack = 2
	EventUserStack   = 3
	EventMemory      = 4
	EventRawStack    = 5

	HitSize       = 56  // struct hit, without its record
	StackSize     = 40  // struct stack, without its frames
	UserFrameSize = 40  // struct user_frame
	MemorySize    = 24  // struct memory, without the bytes
	RawStackSize  = 248 // struct raw_stack

	HitRecordCut = 1

	StackAgain    = 1
	StackVerify   = 2
	StackRelative = 4

	Slots        = 4 // rings a CPU
	BlockBits    = 16
	BlockSize    = 1 << BlockBits
	LongestEvent = 5120 // bytes, and the slack behind each block

	MaxFrames    = 127
	MaxRecord    = 3072
	MaxFetches   = 16
	MaxSteps     = 6
	MaxDataLocs  = 8
	MaxUIDs      = 8
	MaxCPUs      = 1024
	MaxCgroups   = 16
	RecordOffset = 8 // bytes of a trace record that are not sent

	MappingCode   = 1
	MappingNoCode = 2

	FrameExact   = 1
	FrameGuessed = 2

	// RawLongest is the most memory that a raw stack comes with, in so many events at most.
	RawLongest = 64 << 10
	RawPieces  = 17

	RuleWays    = 4
	RuleSetBits = 16
	RowBits     = 22
	// KernelImage stands for the kernel and its modules in the keys of rules, VDSOImage for the vdso.
	KernelImage = 2
	VDSOImage   = 4
	// ImageAnonymous is set in the key of memory that is no file.
	ImageAnonymous = 1

	// VDSODevice stands in a user frame's device for the vdso.
	VDSODevice = 0xffffffff
	// DataLocRelative marks a data_locs entry as __rel_loc.
	DataLocRelative = 0x8000

	FetchSwap    = 1
	FetchSigned  = 2
	FetchIndexed = 4

	ScopePIDs = 1
	ScopeTIDs = 2
	ScopeUIDs = 4
	ScopeCPUs = 8

	ScopeComms       = 16
	ScopeExceptComms = 32
	ScopeCgroups     = 64

	// Keys of scope_comms.
	CommOnly   = 0
	CommExcept = 1
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
