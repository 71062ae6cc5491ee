package capture

import (
	"bytes"
	"fmt"
	"slices"

	"trapline/bpf"
	"trapline/capture/images"
	"trapline/capture/ring"
	"trapline/capture/unwind"
	"trapline/format"
)

// maxRawStacks limits the raw stacks whose memory arrived before them.
const maxRawStacks = 1 << 10

// rawMemory keeps a piece of memory until its raw stack arrives.
func (a *assembler) rawMemory(m *ring.Memory) {
	known := a.raw.memory[m.Hash]
	if known == nil && len(a.raw.memory) >= maxRawStacks {
		clear(a.raw.memory) // never happens with valid events
	}
	if n := len(known); n > 0 && known[n-1].Base+uint64(len(known[n-1].Bytes)) == m.Address {
		known[n-1].Bytes = append(known[n-1].Bytes, m.Bytes...)
	} else if n < 3*bpf.RawPieces {
		known = append(known, unwind.Memory{Base: m.Address, Bytes: bytes.Clone(m.Bytes)})
	}
	a.raw.memory[m.Hash] = known
	a.counts.RawBytes += uint64(len(m.Bytes))
}

// rawStack unwinds a stack that a program could not walk or that must be verified.
func (a *assembler) rawStack(r *ring.RawStack) {
	memory := a.raw.memory[r.Hash]
	delete(a.raw.memory, r.Hash)
	frames, cut := a.unwinder.Unwind(r, memory)
	if r.Verify {
		a.verify(r, frames, cut)
		return
	}
	a.counts.RawStacks++
	if r.Time >= a.later {
		a.counts.RawLater++
	}
	a.indices = a.indices[:0]
	for _, f := range frames {
		a.indices = append(a.indices, a.frames.index(f))
	}
	a.stacks.add(r.Hash, stackEntry{cut: cut, sent: uint8(len(frames)), once: true}, a.indices)
}

// maxDifferences limits the differing stacks kept for display.
const maxDifferences = 10

// verify compares a walked stack with the unwound one.
func (a *assembler) verify(r *ring.RawStack, frames []images.Frame, cut format.StackCut) {
	walked := a.stacks.find(r.Hash)
	if walked == nil {
		return
	}
	passed := a.frames.all(a.stacks.of(walked))
	if cut == format.CutUnreadable && len(frames) < len(passed) && slices.Equal(frames, passed[:len(frames)]) {
		return // the copy is shorter than the stack that the walk read
	}
	a.counts.Verified++
	// Both guess at places without a rule. Where a guess ends proves nothing.
	guessed := slices.ContainsFunc(frames, func(f images.Frame) bool { return f.Flags&format.FrameGuessed != 0 })
	if walked.cut == format.CutDepth && len(frames) > len(passed) { // the walk stopped there
		frames, cut = frames[:len(passed)], walked.cut
	}
	if slices.Equal(passed, frames) && (walked.cut == cut || guessed) {
		return
	}
	a.counts.Unverified++
	if len(a.raw.differences) < maxDifferences {
		a.raw.differences = append(a.raw.differences, fmt.Sprintf("pid %d: walked %s; unwound %s", r.PID,
			describeStack(passed, walked.cut), describeStack(frames, cut)))
	}
}

func describeStack(frames []images.Frame, cut format.StackCut) string {
	s := ""
	for _, f := range frames {
		path := "?"
		if f.Image != nil {
			path = f.Image.Path
		}
		s += fmt.Sprintf("%s+0x%x ", path, f.Offset)
	}
	return s + "[" + cut.String() + "]"
}
