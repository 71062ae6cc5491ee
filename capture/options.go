package capture

import (
	"time"

	"trapline/capture/attach"
	"trapline/capture/probe"
	"trapline/format"
)

// Options specify a recording.
type Options struct {
	Probes []probe.Probe
	Scope  attach.Scope

	// AllowSlow attaches many probes even if each needs its own program or link.
	AllowSlow bool

	KernelStacks, UserStacks bool
	MaxStack                 int // frames per stack; 0 means the maximum, 127
	// FramePointers finds user stacks by frame pointers alone. Kernels before 5.17
	// support nothing else.
	FramePointers bool
	// VerifyEvery unwinds the stacks of every Nth hit a second time and compares. 0 means
	// never.
	VerifyEvery int

	RingBytes int // size of each CPU's ring, rounded up to a power of two; 0 means DefaultRingBytes

	Level      int    // compression level; see format.WriterOptions
	Resolution uint16 // ns to which times are rounded; 0 means 1
	Properties []format.Property

	// MaxHits ends the recording after exactly this many hits. 0 means no limit.
	MaxHits uint64
	// Delay is the time between the start of the recording, when the command runs, and
	// the first recorded hit.
	Delay time.Duration

	// Command is the PID of the stopped command, or 0. Its unwind information is read
	// before it runs.
	Command uint32

	// Progress, if not nil, is called about four times a second while recording and
	// symbolizing. Calls are sequential.
	Progress func(Progress)
	// Live, if not nil, is called when hits start to be recorded.
	Live func()
}

// settings returns the part of the options that BPF programs need.
func (o *Options) settings() attach.Settings {
	return attach.Settings{Probes: o.Probes, Scope: o.Scope, MaxHits: o.MaxHits, AllowSlow: o.AllowSlow,
		Stacks: attach.Stacks{Kernel: o.KernelStacks, User: o.UserStacks, MaxFrames: o.MaxStack,
			FramePointers: o.FramePointers, VerifyEvery: o.VerifyEvery}}
}

// Progress describes a running recording.
type Progress struct {
	Elapsed     time.Duration
	Hits        uint64 // recorded
	Lost        uint64
	Bytes       uint64 // written
	Symbolizing bool   // Done of Total images are symbolized
	Done, Total int
}

// A Summary is the result of a recording.
type Summary struct {
	Progress
	Accounts        []Account
	StacksLost      uint64 // hits recorded without their stack
	StacksDifferent uint64 // compared stacks that differed although their hashes are equal
	StacksCompared  uint64
	Stacks          StackCounts
	Undecodable     uint64
	RecordsCut      uint64 // hits whose arguments did not fit in a record
	MappingsLost    uint64 // lost reports of mapped files
	UserTime        time.Duration
	SystemTime      time.Duration
}

// StackCounts count how stacks were found.
type StackCounts struct {
	RawStacks, RawBytes uint64 // stacks that programs could not walk and sent for unwinding
	RawLater            uint64 // raw stacks after the first second
	Rules, Evicted      uint64 // rules written, and rules replaced for lack of space
	// Verified stacks were found in two ways. Different ones did not match.
	UserVerified, UserDifferent     uint64
	KernelVerified, KernelDifferent uint64
	Differences                     []string // some of the differing user stacks
}

// An Account is the account of one probe over all CPUs.
type Account struct {
	Probe string
	N     [CausesEnd]uint64 // by format.Cause
}

// CausesEnd is one more than the last format.Cause.
const CausesEnd = format.CauseMissed + 1

// Lost returns the number of lost hits.
func (a *Account) Lost() (n uint64) {
	for c := format.CauseRecorded; c < CausesEnd; c++ {
		if c.Lost() {
			n += a.N[c]
		}
	}
	return n
}

// Hits returns how many times the probe fired in scope.
func (a *Account) Hits() (n uint64) {
	for _, v := range a.N {
		n += v
	}
	return n
}

// DefaultRingBytes returns the default ring size for a machine with this many CPUs: 8
// MiB, less if all rings would exceed 256 MiB.
func DefaultRingBytes(cpus int) int {
	size := 8 << 20
	for size > 1<<20 && size*cpus > 256<<20 {
		size /= 2
	}
	return size
}
