package bpf

// Sizes and kinds of the events in event.h, which also says what the fields mean.
// The structures are generated from the C ones only for Linux on x86-64 and
// arm64; these constants let events be decoded anywhere, and a test holds them
// to the generated structures.
const (
	EventHit         = 1
	EventKernelStack = 2
	EventUserStack   = 3

	HitSize       = 56 // struct hit, without its record
	StackSize     = 32 // struct stack, without its frames
	UserFrameSize = 32 // struct user_frame

	HitRecordCut = 1

	StackAgain = 1

	Slots        = 4 // rings a CPU
	BlockBits    = 16
	BlockSize    = 1 << BlockBits
	LongestEvent = 4096 // bytes, and the slack behind each block

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

	// VDSODevice stands in a user frame's device for the vdso.
	VDSODevice = 0xffffffff
	// DataLocRelative marks a data_locs entry as __rel_loc.
	DataLocRelative = 0x8000

	FetchSwap   = 1
	FetchSigned = 2

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
