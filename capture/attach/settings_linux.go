package attach

import (
	"runtime"
	"slices"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/probe"
)

// Settings say what programs record, and of whom.
type Settings struct {
	Probes  []probe.Probe
	Scope   Scope
	Stacks  Stacks
	MaxHits uint64 // of all probes together; 0: no limit
	// AllowSlow: many probes are attached even where each needs a program or a link of its own.
	AllowSlow bool
}

// Stacks say which stacks hits have unless their event says otherwise, and how they are found.
type Stacks struct {
	Kernel, User bool
	MaxFrames    int // 0: the most, 127
	// FramePointers: user stacks are found by frame pointers alone. Kernels before 5.17 can do no other.
	FramePointers bool
	// VerifyEvery makes one hit in so many check its stacks by unwinding them a second time; 0: none.
	VerifyEvery int
}

// stacksOf returns which stacks the hits of a probe have: those that the event
// asked for, else those of the recording.
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
	// The kernel stack of a system call is always the way in. perf leaves it out, too,
	// so that the innermost function is the one that made the call.
	return s.Stacks.Kernel && !p.AtSystemCall(), s.Stacks.User
}

// AnyKernelStacks reports whether hits of any probe have a kernel stack.
func (s *Settings) AnyKernelStacks() bool {
	return s.anyStacks(s.Stacks.Kernel, event.StackKernel)
}

// anyUserStacks reports whether hits of any probe have a user stack.
func (s *Settings) anyUserStacks() bool {
	return s.anyStacks(s.Stacks.User, event.StackUser)
}

// anyStacks reports whether any probe has a choice that is one kind of stack or both,
// or none of its own where that is the recording's.
func (s *Settings) anyStacks(recording bool, one event.StackChoice) bool {
	return slices.ContainsFunc(s.Probes, func(p probe.Probe) bool {
		return p.Stack == one || p.Stack == event.StackBoth || p.Stack == event.StackDefault && recording
	})
}

// Depth is how many frames the stacks of a probe's hits have at most: as its event
// says, or else the recording.
func (s *Settings) Depth(p *probe.Probe) int {
	for _, n := range []int{p.Depth, s.Stacks.MaxFrames} {
		if n > 0 {
			return min(n, bpf.MaxFrames)
		}
	}
	return bpf.MaxFrames
}

// framesToTake is how many frames of a stack a probe's program is to take for that depth. One
// more tells a stack that ends there from one that was cut. Stacks of bpf_get_stack begin with
// the way from the hook to the program.
func (s *Settings) framesToTake(p *probe.Probe) int {
	return min(s.Depth(p)+1+probe.KindOf(p.Kind).HookFrames, bpf.MaxFrames)
}

// UserRules reports whether user stacks are walked by rules.
func (s *Settings) UserRules() bool {
	return s.anyUserStacks() && !s.Stacks.FramePointers && runtime.GOARCH == "amd64" && host.HaveFindVMA()
}

// countMappings reports whether the changes of address spaces are counted by a program,
// since the kernel does not.
func (s *Settings) countMappings() bool { return s.UserRules() && host.MappingsUncounted() }
