package bpf

// The dimensions of maps, and the limits and flags of the constants that are set
// before a program is loaded.

// Rings.
const (
	Slots        = 4 // rings per CPU
	BlockBits    = 16
	BlockSize    = 1 << BlockBits
	LongestEvent = 5120 // bytes; also the slack after each block
)

// Limits of a hit.
const (
	MaxFrames   = 127
	MaxRecord   = 3072 // bytes of arguments
	MaxFetches  = 16
	MaxSteps    = 6 // memory accesses per fetch
	MaxDataLocs = 8 // dynamic fields of a tracepoint

	// RecordOffset is how many bytes at the start of a trace record are not sent.
	RecordOffset = 8

	// RawLongest is the largest amount of memory sent with a raw stack, in bytes,
	// in at most RawPieces events.
	RawLongest = 64 << 10
	RawPieces  = 18
)

// DataLocRelative marks an entry of data_locs as a __rel_loc field.
const DataLocRelative = 0x8000

// Flags of HooksFetch.
const (
	FetchSwap    = 1
	FetchSigned  = 2
	FetchIndexed = 4
)

// Tables of rules.
const (
	RuleWays    = 4  // rules per set
	RuleSetBits = 16 // log2 of the number of sets
	RowBits     = 22 // log2 of the number of rows
)

// Flags of the constant scope, and the limits of its lists.
const (
	ScopePIDs        = 1
	ScopeTIDs        = 2
	ScopeUIDs        = 4
	ScopeCPUs        = 8
	ScopeComms       = 16
	ScopeExceptComms = 32
	ScopeCgroups     = 64

	MaxUIDs    = 8
	MaxCPUs    = 1024
	MaxCgroups = 16
)

// Keys of the map scope_comms.
const (
	CommOnly   = 0
	CommExcept = 1
)
