package capture

import (
	"trapline/bpf"
	"trapline/capture/probe"
	"trapline/format"
)

// depth is how many frames the stacks of a probe's hits have at most: as its event
// says, or else the recording.
func (o *Options) depth(p *probe.Probe) int {
	for _, n := range []int{p.Depth, o.MaxStack} {
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
func (o *Options) framesToTake(p *probe.Probe) int {
	return min(o.depth(p)+1+hookFrames[p.Kind], bpf.MaxFrames)
}

// upTo returns those of a stack's frames that a hit may have whose stacks are so deep, and why
// there are no more. The program of a probe with another depth may have sent the same stack: that
// it was cut there means nothing to this hit, whose own program would have gone on.
func (e *stackEntry) upTo(frames []frameIndex, depth int) ([]frameIndex, format.StackCut) {
	switch {
	case len(frames) > depth:
		return frames[:depth], format.CutDepth
	case e.cut == format.CutDepth && e.sent < bpf.MaxFrames:
		return frames, format.CutNone
	}
	return frames, e.cut
}
