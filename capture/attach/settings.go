package attach

import (
	"slices"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/probe"
	"trapline/format"
)

// Settings say what programs record, and of whom.
type Settings struct {
	Probes  []probe.Probe
	Scope   Scope
	Stacks  Stacks
	MaxHits uint64 // of all probes together; 0: no limit
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

// stacksOf returns which stacks the hits of a group's probes have: those that the event
// asked for, else those of the recording.
func (s *Settings) stacksOf(g *Group) (kernel, user bool) {
	if g == nil {
		return false, false
	}
	switch g.probe.Stack {
	case event.StackNone:
		return false, false
	case event.StackKernel:
		return true, false
	case event.StackUser:
		return false, true
	case event.StackBoth:
		return true, true
	}
	return s.Stacks.Kernel && !atSystemCall(g), s.Stacks.User
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

// hookFrames is how many frames the way from a hook to its program takes at most. Stacks
// of bpf_get_stack begin with them, and locator.entry tells them from the others.
var hookFrames = map[format.ProbeKind]int{
	format.ProbeTracepoint: 1, format.ProbeRawTracepoint: 6, format.ProbeFentry: 6, format.ProbeFexit: 6}

// framesToTake is how many frames of a stack a probe's program is to take for that depth. One
// more tells a stack that ends there from one that was cut.
func (s *Settings) framesToTake(p *probe.Probe) int {
	return min(s.Depth(p)+1+hookFrames[p.Kind], bpf.MaxFrames)
}
