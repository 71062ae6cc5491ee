package capture

import (
	"time"

	"trapline/capture/attach"
	"trapline/capture/probe"
	"trapline/format"
)

// Options say what to record and how.
type Options struct {
	Probes []probe.Probe
	Scope  attach.Scope

	// AllowSlow: many probes are attached even where each needs a program or a link of its own.
	AllowSlow bool

	KernelStacks, UserStacks bool
	MaxStack                 int // frames a stack; 0: the most, 127
	// FramePointers: user stacks are found by frame pointers alone. Kernels before 5.17 can do no other.
	FramePointers bool
	// VerifyEvery makes one hit in so many check its stacks by unwinding them a second time; 0: none.
	VerifyEvery int

	RingBytes int // of each CPU's ring, rounded up to a power of two of at least 64 KiB; 0: DefaultRingBytes

	Level      int    // of compression, as format.WriterOptions
	Resolution uint16 // ns that times are rounded to; 0: 1
	Properties []format.Property

	// MaxHits ends the recording after exactly so many hits; 0: it goes on. What
	// happens later is no part of it.
	MaxHits uint64
	// Delay is how long after its begin, once the command runs, hits are recorded.
	Delay time.Duration

	// Command is the process that the recording runs, stopped until it begins; 0: none.
	// What is needed to unwind its stacks is read beforehand.
	Command uint32

	// Progress, if set, is called about four times a second while recording, and
	// while symbols are resolved, from one goroutine.
	Progress func(Progress)
	// Live, if set, is called when hits begin to be recorded.
	Live func()
}

// settings are what programs are to know of the options.
func (o *Options) settings() attach.Settings {
	return attach.Settings{Probes: o.Probes, Scope: o.Scope, MaxHits: o.MaxHits, AllowSlow: o.AllowSlow,
		Stacks: attach.Stacks{Kernel: o.KernelStacks, User: o.UserStacks, MaxFrames: o.MaxStack,
			FramePointers: o.FramePointers, VerifyEvery: o.VerifyEvery}}
}

// Progress is how a recording is doing.
type Progress struct {
	Elapsed     time.Duration
	Hits        uint64 // recorded
	Lost        uint64
	Bytes       uint64 // written
	Symbolizing bool   // done of total images
	Done, Total int
}

// A Summary is what a finished recording came to.
type Summary struct {
	Progress
	Accounts        []Account
	StacksLost      uint64 // hits without a stack that they had
	StacksDifferent uint64 // of the stacks compared, those that were not what their hash said
	StacksCompared  uint64
	Stacks          StackCounts
	Undecodable     uint64
	RecordsCut      uint64 // hits whose arguments were longer than a record holds
	MappingsLost    uint64 // reports of mapped files for which there was no room
	UserTime        time.Duration
	SystemTime      time.Duration
}

// StackCounts say how stacks were found.
type StackCounts struct {
	RawStacks, RawBytes uint64 // stacks that the programs had no rules for, sent as they were
	RawLater            uint64 // of them, those after the first second: what was not learned by then
	Rules, Evicted      uint64 // rules written, and those that had to make room
	// Verified stacks were found in two ways, and Different ones were not the same.
	UserVerified, UserDifferent     uint64
	KernelVerified, KernelDifferent uint64
	Differences                     []string // some of the user stacks that differ
}

// An Account is the account of one probe, all CPUs together.
type Account struct {
	Probe string
	N     [CausesEnd]uint64 // by format.Cause
}

// CausesEnd is one more than the last format.Cause.
const CausesEnd = format.CauseMissed + 1

// Lost is how many hits were lost, by whatever cause.
func (a *Account) Lost() (n uint64) {
	for c := format.CauseRecorded; c < CausesEnd; c++ {
		if c.Lost() {
			n += a.N[c]
		}
	}
	return n
}

// Hits is how many times the probe fired in scope.
func (a *Account) Hits() (n uint64) {
	for _, v := range a.N {
		n += v
	}
	return n
}

// DefaultRingBytes is the default size of a CPU's ring for a machine of so many
// CPUs: 8 MiB, less where that would come to more than 256 MiB.
func DefaultRingBytes(cpus int) int {
	size := 8 << 20
	for size > 1<<20 && size*cpus > 256<<20 {
		size /= 2
	}
	return size
}
