package capture

import (
	"slices"

	"trapline/capture/probe"
)

// stacks returns which stacks the hits of a group's probes have: those that the event
// asked for, else those of the recording.
func (o *Options) stacks(g *group) (kernel, user bool) {
	if g == nil {
		return false, false
	}
	switch g.probe.Stack {
	case probe.StackNone:
		return false, false
	case probe.StackKernel:
		return true, false
	case probe.StackUser:
		return false, true
	case probe.StackBoth:
		return true, true
	}
	return o.KernelStacks && !atSystemCall(g), o.UserStacks
}

// anyKernelStacks reports whether hits of any probe have a kernel stack.
func (o *Options) anyKernelStacks() bool {
	return o.anyStacks(o.KernelStacks, probe.StackKernel)
}

// anyUserStacks reports whether hits of any probe have a user stack.
func (o *Options) anyUserStacks() bool {
	return o.anyStacks(o.UserStacks, probe.StackUser)
}

// anyStacks reports whether any probe has a choice that is one kind of stack or both,
// or none of its own where that is the recording's.
func (o *Options) anyStacks(recording bool, one probe.StackChoice) bool {
	return slices.ContainsFunc(o.Probes, func(p probe.Probe) bool {
		return p.Stack == one || p.Stack == probe.StackBoth || p.Stack == probe.StackDefault && recording
	})
}
