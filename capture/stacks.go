package capture

import (
	"trapline/bpf"
	"trapline/format"
)

// A stackEntry is a stack as sent by a program, and its ID once a hit refers to it.
type stackEntry struct {
	kernel  bool
	cut     format.StackCut
	frames  []frameIndex
	sent    int    // frames, those of the way to the program included
	once    bool   // unwound here: no other hit refers to it
	check   uint64 // another hash of the addresses, to find two stacks with one hash
	segment uint64 // that id belongs to
	id      format.StackID
	written int             // frames that id has
	why     format.StackCut // … and why it has no more
}

type stackFrame struct {
	location
	flags format.FrameFlags
}

// A frameIndex stands for a frame of which many stacks consist: an index into
// frameTable.frames.
type frameIndex uint32

// A frameTable has each frame once.
type frameTable struct {
	frames  []stackFrame
	indices map[stackFrame]frameIndex
}

func (t *frameTable) index(f stackFrame) frameIndex {
	i, ok := t.indices[f]
	if !ok {
		if t.indices == nil {
			t.indices = make(map[stackFrame]frameIndex)
		}
		i = frameIndex(len(t.frames))
		t.frames = append(t.frames, f)
		t.indices[f] = i
	}
	return i
}

// all returns the frames of a stack.
func (t *frameTable) all(indices []frameIndex) []stackFrame {
	frames := make([]stackFrame, len(indices))
	for i, n := range indices {
		frames[i] = t.frames[n]
	}
	return frames
}

// inKernel reports whether the frame is named by the kernel's symbols.
func (f stackFrame) inKernel() bool {
	if f.image == nil {
		return false
	}
	k := f.image.kind
	return k == format.ImageKernel || k == format.ImageModule || k == format.ImageBPF
}

// lowestAddress is the first address that code can be mapped at: the kernel's
// vm.mmap_min_addr is 64 KiB by default and a page at least. It decides where
// what is mapped could not be looked up.
const lowestAddress = 4096

// stack keeps a stack until a hit refers to it.
func (a *assembler) stack(s *stackEvent) {
	if s.kernel {
		a.teachKernel(s)
	}
	e := &stackEntry{kernel: s.kernel, cut: format.StackCut(s.cut), frames: make([]frameIndex, 0, s.count), sent: s.count}
	guessed := false
	for i := range s.count {
		var f stackFrame
		if s.kernel {
			// The first address is where the probe was hit, all others were pushed by calls.
			f.location = a.locator.kernelLocation(s.address(i))
			if i > 0 {
				f.flags = format.FrameReturn
			}
			if len(e.frames) == 0 && (f.image == nil || a.locator.entry(f.location)) {
				continue // also programs too new to have a name
			}
		} else {
			u := s.userFrame(i)
			l, code := a.locator.user(s, u)
			if !code || u.address < lowestAddress {
				// What was taken for a frame pointer was none.
				e.cut = format.CutNoRule
				break
			}
			f.location = l
			if !u.exact {
				f.flags = format.FrameReturn
			}
			if guessed {
				f.flags |= format.FrameGuessed
			}
			guessed = u.guessed
		}
		e.frames = append(e.frames, a.frames.index(f))
	}
	e.check = s.check()
	known := a.stacks[s.hash]
	if known == nil {
		a.stacks[s.hash] = e
		return
	}
	if s.again {
		if known.check == 0 || e.check == 0 {
			return
		}
		a.counts.StacksCompared++
		if known.check != e.check {
			a.counts.StacksDifferent++
		}
	}
}

// check hashes what the stack's hash is of in another way than the programs do (FNV-1a, by words).
func (s *stackEvent) check() uint64 {
	h := uint64(14695981039346656037)
	add := func(v uint64) { h = (h ^ v) * 1099511628211 }
	for i := range s.count {
		if s.kernel {
			add(s.address(i))
			continue
		}
		switch u := s.userFrame(i); {
		case s.relative && !u.known:
			return 0 // what was mapped could not be looked up again
		case s.relative && u.image&bpf.ImageAnonymous == 0:
			add(u.image)
			add(u.offset)
		default:
			add(u.address)
		}
	}
	return h
}

// stackID returns the ID in the open segment of a stack of at most so many frames; ok is false when the stack is not known.
func (a *assembler) stackID(hash uint64, depth int) (id format.StackID, ok bool) {
	if hash == 0 {
		return 0, true
	}
	e := a.stacks[hash]
	if e == nil {
		if e = a.older[hash]; e == nil {
			return 0, false
		}
		a.stacks[hash] = e
	}
	indices, cut := e.upTo(depth)
	if e.segment != a.segment || e.written != len(indices) || e.why != cut {
		frames := make([]format.FrameID, len(indices))
		for i, n := range indices {
			frames[i] = a.frame(a.frames.frames[n])
		}
		e.id = a.w.Stack(format.Stack{Kernel: e.kernel, Cut: cut, Frames: frames})
		e.segment, e.written, e.why = a.segment, len(indices), cut
	}
	if e.once {
		delete(a.stacks, hash)
		delete(a.older, hash)
	}
	return e.id, true
}

func (a *assembler) frame(f stackFrame) format.FrameID {
	frame := format.Frame{Offset: f.offset, Flags: f.flags}
	if f.image != nil {
		frame.Image = f.image.write(a.w, a.segment)
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
	return a.frame(stackFrame{location: a.locator.kernelLocation(address)})
}
