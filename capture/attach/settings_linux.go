package attach

import (
	"runtime"
	"slices"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/probe"
)

// Settings are what BPF programs need to know about a recording.
type Settings struct {
	Probes  []probe.Probe
	Scope   Scope
	Stacks  Stacks
	MaxHits uint64 // of all probes together; 0 means no limit
	// AllowSlow attaches many probes even if each needs its own program or link.
	AllowSlow bool
}

// Stacks are which stacks hits have, unless their event says otherwise, and how they are
// found.
type Stacks struct {
	Kernel, User bool
	MaxFrames    int // 0 means the maximum, 127
	// FramePointers finds user stacks by frame pointers alone. Kernels before 5.17
	// support nothing else.
	FramePointers bool
	// VerifyEvery unwinds the stacks of every Nth hit a second time and compares. 0 means
	// never.
	VerifyEvery int
}

// stacksOf returns which stacks a probe's hits have: as its event says, or as the
// recording does.
func (s *Settings) stacksOf(p *probe.Probe) (kernel, user bool) {
	switch p.Stack {
	case event.StackNone:
		return false, false
	case event.StackKernel:
		return true, false
	case event.StackUser:
		return false, true
	case event.StackBoth:
		return true, true
	}
	// The kernel stack at a system call is always the same entry code. Like perf, omit
	// it, so that the innermost frame is the caller.
	return s.Stacks.Kernel && !p.AtSystemCall(), s.Stacks.User
}

// AnyKernelStacks reports whether any probe records kernel stacks.
func (s *Settings) AnyKernelStacks() bool {
	return s.anyStacks(s.Stacks.Kernel, event.StackKernel)
}

// anyUserStacks reports whether any probe records user stacks.
func (s *Settings) anyUserStacks() bool {
	return s.anyStacks(s.Stacks.User, event.StackUser)
}

// anyStacks reports whether any probe records stacks of one kind. recording is the
// default.
func (s *Settings) anyStacks(recording bool, one event.StackChoice) bool {
	return slices.ContainsFunc(s.Probes, func(p probe.Probe) bool {
		return p.Stack == one || p.Stack == event.StackBoth || p.Stack == event.StackDefault && recording
	})
}

// Depth returns the maximum number of frames in the stacks of a probe's hits: as its
// event says, or as the recording does.
func (s *Settings) Depth(p *probe.Probe) int {
	for _, n := range []int{p.Depth, s.Stacks.MaxFrames} {
		if n > 0 {
			return min(n, bpf.MaxFrames)
		}
	}
	return bpf.MaxFrames
}

// framesToTake returns how many frames the program of a probe takes for its depth: one
// more, to tell a stack that ends there from one that is cut, and those between hook and
// program, with which stacks from bpf_get_stack begin.
func (s *Settings) framesToTake(p *probe.Probe) int {
	return min(s.Depth(p)+1+probe.KindOf(p.Kind).HookFrames, bpf.MaxFrames)
}

// UserRules reports whether user stacks are walked by rules. Requires Linux 5.17 and
// x86-64.
func (s *Settings) UserRules() bool {
	return s.anyUserStacks() && !s.Stacks.FramePointers && runtime.GOARCH == "amd64" && host.HaveFindVMA()
}

// countMappings reports whether a helper counts changes of address spaces because the
// kernel does not.
func (s *Settings) countMappings() bool { return s.UserRules() && host.MappingsUncounted() }
