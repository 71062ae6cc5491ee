package capture

import (
	"trapline/capture/images"
	"trapline/capture/ring"
	"trapline/format"
)

// lowestAddress is the lowest address of code. vm.mmap_min_addr is 64 KiB by default and
// at least a page. It is used where the mapping could not be looked up.
const lowestAddress = 4096

// stack keeps a stack until a hit refers to it.
func (a *assembler) stack(s *ring.Stack) {
	if s.Kernel && a.unwinder != nil {
		a.unwinder.TeachKernel(s)
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

// framesOf returns the frames of a stack, valid until the next call, and why they end.
func (a *assembler) framesOf(s *ring.Stack) ([]frameIndex, format.StackCut) {
	frames := a.indices[:0]
	defer func() { a.indices = frames }()
	at := images.Moment{PID: s.PID, Space: s.Space, Time: s.Time}
	guessed := false
	for i := range s.Count {
		var f images.Frame
		if s.Kernel {
			// The first address is that of the probe. Calls pushed the others.
			f.Location = a.code.Kernel(s.Address(i))
			if i > 0 {
				f.Flags = format.FrameReturn
			}
			if len(frames) == 0 && (f.Image == nil || a.code.IsEntry(f.Location)) {
				continue // includes BPF programs too new to have a symbol
			}
		} else {
			u := s.UserFrame(i)
			l, code := a.code.User(at, u)
			if !code || u.Address < lowestAddress {
				// Not a valid frame pointer.
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
