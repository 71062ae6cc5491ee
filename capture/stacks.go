package capture

import (
	"trapline/capture/images"
	"trapline/capture/ring"
	"trapline/format"
)

// A frameIndex stands for a frame of which many stacks consist: an index into
// frameTable.frames.
type frameIndex uint32

// A frameTable has each frame once.
type frameTable struct {
	frames  []images.Frame
	indices map[images.Frame]frameIndex
	ids     []frameID
}

// A frameID is a frame's ID in a segment.
type frameID struct {
	segment uint32
	id      format.FrameID
}

func (t *frameTable) index(f images.Frame) frameIndex {
	i, ok := t.indices[f]
	if !ok {
		if t.indices == nil {
			t.indices = make(map[images.Frame]frameIndex)
		}
		i = frameIndex(len(t.frames))
		t.frames = append(t.frames, f)
		t.ids = append(t.ids, frameID{})
		t.indices[f] = i
	}
	return i
}

// all returns the frames of a stack.
func (t *frameTable) all(indices []frameIndex) []images.Frame {
	frames := make([]images.Frame, len(indices))
	for i, n := range indices {
		frames[i] = t.frames[n]
	}
	return frames
}

// lowestAddress is the first address that code can be mapped at: the kernel's
// vm.mmap_min_addr is 64 KiB by default and a page at least. It decides where
// what is mapped could not be looked up.
const lowestAddress = 4096

// stack keeps a stack until a hit refers to it.
func (a *assembler) stack(s *ring.Stack) {
	if s.Kernel {
		a.teachKernel(s)
	}
	if known := a.stacks.find(s.Hash); known != nil {
		if !s.Again || known.check == 0 {
			return
		}
		if check := s.Check(); check != 0 {
			a.counts.StacksCompared++
			if known.check != check {
				a.counts.StacksDifferent++
			}
		}
		return
	}
	frames, cut := a.framesOf(s)
	a.stacks.add(s.Hash, stackEntry{kernel: s.Kernel, cut: cut, sent: uint8(s.Count), check: s.Check()}, frames)
}

// framesOf returns what the frames of a stack are, up to the next call, and why there are no more.
func (a *assembler) framesOf(s *ring.Stack) ([]frameIndex, format.StackCut) {
	frames := a.indices[:0]
	defer func() { a.indices = frames }()
	at := images.Moment{PID: s.PID, Space: s.Space, Time: s.Time}
	guessed := false
	for i := range s.Count {
		var f images.Frame
		if s.Kernel {
			// The first address is where the probe was hit, all others were pushed by calls.
			f.Location = a.code.Kernel(s.Address(i))
			if i > 0 {
				f.Flags = format.FrameReturn
			}
			if len(frames) == 0 && (f.Image == nil || a.code.IsEntry(f.Location)) {
				continue // also programs too new to have a name
			}
		} else {
			u := s.UserFrame(i)
			l, code := a.code.User(at, u)
			if !code || u.Address < lowestAddress {
				// What was taken for a frame pointer was none.
				return frames, format.CutNoRule
			}
			f.Location = l
			if !u.Exact {
				f.Flags = format.FrameReturn
			}
			if guessed {
				f.Flags |= format.FrameGuessed
			}
			guessed = u.Guessed
		}
		frames = append(frames, a.frames.index(f))
	}
	return frames, format.StackCut(s.Cut)
}

// stackID returns the ID in the open segment of a stack of at most so many frames; ok is false when the stack is not known.
func (a *assembler) stackID(hash uint64, depth int) (id format.StackID, ok bool) {
	if hash == 0 {
		return 0, true
	}
	e := a.stacks.find(hash)
	if e == nil {
		old := a.older.find(hash)
		if old == nil {
			return 0, false
		}
		e = a.stacks.add(hash, *old, a.older.of(old))
	}
	indices, cut := e.upTo(a.stacks.of(e), depth)
	if e.segment != uint32(a.segment) || int(e.written) != len(indices) || e.why != cut {
		a.ids = a.ids[:0]
		for _, n := range indices {
			a.ids = append(a.ids, a.frameID(n))
		}
		e.id = a.w.Stack(format.Stack{Kernel: e.kernel, Cut: cut, Frames: a.ids})
		e.segment, e.written, e.why = uint32(a.segment), uint8(len(indices)), cut
	}
	return e.id, true
}

// frameID returns the ID in the open segment of a frame of the table.
func (a *assembler) frameID(n frameIndex) format.FrameID {
	known := &a.frames.ids[n]
	if known.segment != uint32(a.segment) {
		*known = frameID{uint32(a.segment), a.frame(a.frames.frames[n])}
	}
	return known.id
}

func (a *assembler) frame(f images.Frame) format.FrameID {
	frame := format.Frame{Offset: f.Offset, Flags: f.Flags}
	if f.Image != nil {
		frame.Image = f.Image.Write(a.w, a.segment)
	}
	id := a.w.Frame(frame)
	if int(id) == len(a.located) {
		a.located = append(a.located, f)
	}
	return id
}

// symbol interns a kernel code address that is an argument. It is named as the
// kernel's own %pS does, at the address itself.
func (a *assembler) symbol(address uint64) format.FrameID {
	if address == 0 {
		return 0
	}
	return a.frame(images.Frame{Location: a.code.Kernel(address)})
}
