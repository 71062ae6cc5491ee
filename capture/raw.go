package capture

import (
	"fmt"
	"slices"

	"trapline/bpf"
	"trapline/format"
)

// rawMemory is the memory of a raw stack as far as it has come, without gaps.
type rawMemory struct {
	address uint64
	bytes   []byte
}

// maxRawStacks bounds the raw stacks whose memory has come and which themselves have not.
const maxRawStacks = 1 << 10

func (a *assembler) rawMemory(m *memoryEvent) {
	known := a.memory[m.hash]
	if known == nil {
		if len(a.memory) >= maxRawStacks {
			clear(a.memory) // no program leaves one behind
		}
		known = &rawMemory{address: m.address}
		a.memory[m.hash] = known
	}
	if m.address != known.address+uint64(len(known.bytes)) || len(known.bytes)+len(m.bytes) > bpf.RawLongest {
		a.counts.Undecodable++
		return
	}
	known.bytes = append(known.bytes, m.bytes...)
	a.counts.RawBytes += uint64(len(m.bytes))
}

// rawStack unwinds a stack that the programs could not walk, or were told to verify.
func (a *assembler) rawStack(r *rawEvent) {
	var memory []byte
	if m := a.memory[r.hash]; m != nil {
		memory = m.bytes
		delete(a.memory, r.hash)
	}
	frames, cut := a.unwinder.unwind(r, memory)
	if r.verify {
		a.verify(r, frames, cut)
		return
	}
	a.counts.RawStacks++
	a.stacks[r.hash] = &stackEntry{cut: cut, frames: frames, once: true}
}

// maxDifferences is how many stacks that differ are kept to be shown.
const maxDifferences = 10

// verify compares a stack that a program walked with what unwinding came to.
func (a *assembler) verify(r *rawEvent, frames []stackFrame, cut format.StackCut) {
	walked := a.stacks[r.hash]
	if walked == nil {
		return
	}
	a.counts.Verified++
	// Places without a rule are guessed at by both, and where a guess ends proves nothing.
	guessed := slices.ContainsFunc(frames, func(f stackFrame) bool { return f.flags&format.FrameGuessed != 0 })
	if slices.Equal(walked.frames, frames) && (walked.cut == cut || guessed) {
		return
	}
	a.counts.Unverified++
	if len(a.differences) < maxDifferences {
		a.differences = append(a.differences, fmt.Sprintf("pid %d: walked %s; unwound %s", r.pid,
			describeStack(walked.frames, walked.cut), describeStack(frames, cut)))
	}
}

func describeStack(frames []stackFrame, cut format.StackCut) string {
	s := ""
	for _, f := range frames {
		path := "?"
		if f.image != nil {
			path = f.image.path
		}
		s += fmt.Sprintf("%s+0x%x ", path, f.offset)
	}
	return s + "[" + cut.String() + "]"
}

// teachKernel passes a kernel stack on to who writes the rules.
func (a *assembler) teachKernel(s *stackEvent) {
	if a.unwinder != nil {
		a.unwinder.teachKernel(s)
	}
}
