package capture

import (
	"fmt"
	"testing"

	"trapline/capture/attach"
	"trapline/capture/images"
	"trapline/capture/layout"
	"trapline/capture/probe"
	"trapline/capture/ring"
	"trapline/capture/ring/ringtest"
	"trapline/capture/unwind"
	"trapline/format"
)

// Probes with different depths share stacks: a stack is cut for one probe and complete
// for another. One extra frame tells the two apart.
func TestAssembleDepths(t *testing.T) {
	probes := []probe.Probe{
		{Kind: format.ProbeTracepoint, Name: "whole", Record: layout.Record{RecordSize: 8}},
		{Kind: format.ProbeTracepoint, Name: "two", Record: layout.Record{RecordSize: 8}, Depth: 2},
		{Kind: format.ProbeTracepoint, Name: "three", Record: layout.Record{RecordSize: 8}, Depth: 3}}
	var sent [][]byte
	cut := ringtest.EncodeKernelStack(11, 0x1000, 0x2000, 0x3000)
	cut[2] = byte(format.CutDepth) // by the second probe's program, which takes no more
	sent = append(sent, cut, ringtest.EncodeUserStack(12, 5, ring.UserFrame{Address: 0x5000, Inode: 7, Known: true}, ring.UserFrame{Address: 0x6000, Inode: 8, Known: true}))
	for i := range 6 {
		sent = append(sent, ringtest.EncodeHit(ring.Hit{Probe: uint32(i % 3), Time: uint64(i), PID: 5, TID: 5, Comm: comm("x"), KernelStack: 11, UserStack: 12}))
	}
	got, a := assemble(t, probes, map[int][][]byte{0: sent})
	var want []string
	for i := range 6 {
		kernel := "[kernel]+0x1000 [kernel]+0x2000 [kernel]+0x3000"
		if i%3 == 1 {
			kernel = "[kernel]+0x1000 [kernel]+0x2000 (depth limit reached)"
		}
		want = append(want, fmt.Sprintf("%d cpu0 x 5/5 %s [ %s ] [ /bin/7+0x0 /bin/8+0x0 ]", i, probes[i%3].Name, kernel))
	}
	wantLines(t, got, want)
	if a.counts.StacksLost != 0 {
		t.Errorf("%d stacks lost", a.counts.StacksLost)
	}
}

// A fakeUnwinder returns the same frames for every raw stack.
type fakeUnwinder []images.Frame

func (u fakeUnwinder) Unwind(*ring.RawStack, []unwind.Memory) ([]images.Frame, format.StackCut) {
	return u, format.CutNone
}
func (u fakeUnwinder) TeachKernel(*ring.Stack) {}

// A raw stack is unwound completely because its probe is not known yet. Verification
// compares as many frames as the walk took.
func TestAssembleDepthOfRawStacks(t *testing.T) {
	file := images.Image{Kind: format.ImageELF, Path: "/bin/7"}
	frames := fakeUnwinder{{Location: images.Location{Image: &file, Offset: 1}}, {Location: images.Location{Image: &file, Offset: 2}}, {Location: images.Location{Image: &file, Offset: 3}}}
	a := newAssembler(nil, nil, frames, &attach.Settings{Stacks: attach.Stacks{MaxFrames: 2}, Probes: plain}, 1)
	a.stacks = newStackTable()
	a.rawStack(&ring.RawStack{Hash: 11})
	raw := a.stacks.find(11)
	if got, cut := raw.upTo(a.stacks.of(raw), a.probes[0].depth); len(got) != 2 || cut != format.CutDepth {
		t.Errorf("%d frames, %v; want 2, cut at the depth", len(got), cut)
	}
	for _, walked := range []struct {
		frames    int
		cut       format.StackCut
		different bool
	}{{3, format.CutNone, false}, {2, format.CutDepth, false}, {2, format.CutNone, true}} {
		var indices []frameIndex
		for _, f := range frames[:walked.frames] {
			indices = append(indices, a.frames.index(f))
		}
		a.stacks.add(12, stackEntry{cut: walked.cut, sent: uint8(walked.frames)}, indices)
		before := a.counts.Unverified
		a.rawStack(&ring.RawStack{Hash: 12, Verify: true})
		if different := a.counts.Unverified > before; different != walked.different {
			t.Errorf("a walk of %d frames, %v: different is %t", walked.frames, walked.cut, different)
		}
	}
}
