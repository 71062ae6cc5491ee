package capture

import (
	"trapline/capture/images"
	"trapline/capture/ring"
	"trapline/format"
)

// stackID returns the ID in the open segment of the innermost depth frames of a stack. ok
// is false if the stack is unknown.
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
	if e.segment != uint32(a.segment.number) || int(e.written) != len(indices) || e.why != cut {
		a.ids = a.ids[:0]
		for _, n := range indices {
			a.ids = append(a.ids, a.frameID(n))
		}
		e.id = a.w.Stack(format.Stack{Kernel: e.kernel, Cut: cut, Frames: a.ids})
		e.segment, e.written, e.why = uint32(a.segment.number), uint8(len(indices)), cut
	}
	return e.id, true
}

// frameID returns the ID of a frame in the open segment.
func (a *assembler) frameID(n frameIndex) format.FrameID {
	known := &a.frames.ids[n]
	if known.segment != uint32(a.segment.number) {
		*known = frameID{uint32(a.segment.number), a.frame(a.frames.frames[n])}
	}
	return known.id
}

func (a *assembler) frame(f images.Frame) format.FrameID {
	frame := format.Frame{Offset: f.Offset, Flags: f.Flags}
	if f.Image != nil {
		frame.Image = f.Image.Write(a.w, a.segment.number)
	}
	id := a.w.Frame(frame)
	if int(id) == len(a.segment.located) {
		a.segment.located = append(a.segment.located, f)
	}
	return id
}

// symbol interns a kernel code address that is an argument. It is named at the address
// itself, as the kernel's %pS does.
func (a *assembler) symbol(address uint64) format.FrameID {
	if address == 0 {
		return 0
	}
	return a.frame(images.Frame{Location: a.code.Kernel(address)})
}

func (a *assembler) task(cpu int, h *ring.Hit) format.TaskID {
	key := taskKey{h.PID, h.TID, h.Comm}
	recent := &a.segment.recent[cpu]
	if recent.id != 0 && recent.key == key {
		return recent.id
	}
	id, ok := a.segment.tasks[key]
	if !ok {
		comm := h.Comm[:]
		for i, c := range comm {
			if c == 0 {
				comm = comm[:i]
				break
			}
		}
		id = a.w.Task(format.Task{PID: h.PID, TID: h.TID, Comm: a.w.StringBytes(comm)})
		a.segment.tasks[key] = id
	}
	*recent = recentTask{key, id}
	return id
}
