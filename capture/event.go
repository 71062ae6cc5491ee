package capture

import (
	"encoding/binary"
	"fmt"

	"trapline/bpf"
)

// A hitEvent is one decoded bpf/event.h struct hit. record aliases the input.
type hitEvent struct {
	flags       uint8
	probe       uint32
	time        uint64 // ns, CLOCK_MONOTONIC
	pid, tid    uint32
	kernelStack uint64 // hash; 0 none
	userStack   uint64
	comm        [16]byte
	record      []byte // the trace record without its first bpf.RecordOffset bytes
}

// A stackEvent is one decoded struct stack. frames aliases the input and holds
// addresses (kernel) or struct user_frame (user).
type stackEvent struct {
	kernel bool
	again  bool
	// relative: the hash is of places in images, the same in every process
	relative bool
	cut      uint8
	hash     uint64
	space    uint64 // names the address space and its executable mappings
	time     uint64 // ns, CLOCK_MONOTONIC
	pid      uint32
	count    int
	frames   []byte
}

// A userFrame is one decoded struct user_frame.
type userFrame struct {
	address, image, inode, offset uint64
	device                        uint32
	known                         bool // what is mapped there was found
	noCode                        bool // nothing that can be executed is mapped there
	exact                         bool // the task was interrupted there, it is no return address
	guessed                       bool // its caller was found by the frame pointer, for want of a rule
}

// A rawEvent is one decoded struct raw_stack: a user stack to be unwound here.
type rawEvent struct {
	verify bool // the stack with this hash is to be compared with it
	frames int  // that the walk passed
	hash   uint64
	space  uint64
	time   uint64 // ns, CLOCK_MONOTONIC
	pid    uint32
	regs   [21]uint64 // struct pt_regs
	last   userFrame  // where the walk ended
}

// A memoryEvent is one decoded struct memory. bytes aliases the input.
type memoryEvent struct {
	hash    uint64 // of the raw stack that follows
	address uint64
	bytes   []byte
}

// eventSize returns how many bytes the event at the start of b takes, 0 if it is none.
func eventSize(b []byte) int {
	if len(b) < bpf.MemorySize {
		return 0
	}
	size := 0
	switch b[0] {
	case bpf.EventHit:
		size = bpf.HitSize + int(binary.LittleEndian.Uint16(b[2:]))
	case bpf.EventKernelStack:
		size = bpf.StackSize + 8*int(binary.LittleEndian.Uint32(b[4:]))
	case bpf.EventUserStack:
		size = bpf.StackSize + bpf.UserFrameSize*int(binary.LittleEndian.Uint32(b[4:]))
	case bpf.EventMemory:
		size = bpf.MemorySize + int(binary.LittleEndian.Uint32(b[4:]))
	case bpf.EventRawStack:
		size = bpf.RawStackSize
	}
	if size > bpf.LongestEvent {
		return 0
	}
	return (size + 7) &^ 7
}

// decodeHit decodes an event of kind bpf.EventHit. It trusts no length.
func decodeHit(b []byte, h *hitEvent) error {
	if len(b) < bpf.HitSize {
		return fmt.Errorf("hit of %d bytes, want at least %d", len(b), bpf.HitSize)
	}
	size := int(binary.LittleEndian.Uint16(b[2:]))
	if size > len(b)-bpf.HitSize {
		return fmt.Errorf("hit with a record of %d bytes in %d", size, len(b)-bpf.HitSize)
	}
	h.flags = b[1]
	h.probe = binary.LittleEndian.Uint32(b[4:])
	h.time = binary.LittleEndian.Uint64(b[8:])
	h.pid = binary.LittleEndian.Uint32(b[16:])
	h.tid = binary.LittleEndian.Uint32(b[20:])
	h.kernelStack = binary.LittleEndian.Uint64(b[24:])
	h.userStack = binary.LittleEndian.Uint64(b[32:])
	h.comm = [16]byte(b[40:56])
	h.record = b[bpf.HitSize : bpf.HitSize+size]
	return nil
}

// decodeStack decodes an event of kind bpf.EventKernelStack or bpf.EventUserStack.
func decodeStack(b []byte, s *stackEvent) error {
	if len(b) < bpf.StackSize {
		return fmt.Errorf("stack of %d bytes, want at least %d", len(b), bpf.StackSize)
	}
	s.kernel = b[0] == bpf.EventKernelStack
	s.again = b[1]&bpf.StackAgain != 0
	s.relative = b[1]&bpf.StackRelative != 0
	s.cut = b[2]
	s.count = int(binary.LittleEndian.Uint32(b[4:]))
	s.hash = binary.LittleEndian.Uint64(b[8:])
	s.space = binary.LittleEndian.Uint64(b[16:])
	s.time = binary.LittleEndian.Uint64(b[24:])
	s.pid = binary.LittleEndian.Uint32(b[32:])
	size := bpf.UserFrameSize
	if s.kernel {
		size = 8
	}
	if s.count < 0 || s.count > bpf.MaxFrames || s.count*size > len(b)-bpf.StackSize {
		return fmt.Errorf("stack of %d frames in %d bytes", s.count, len(b))
	}
	s.frames = b[bpf.StackSize : bpf.StackSize+s.count*size]
	return nil
}

func (s *stackEvent) address(i int) uint64 { return binary.LittleEndian.Uint64(s.frames[8*i:]) }

func (s *stackEvent) userFrame(i int) userFrame {
	return decodeUserFrame(s.frames[bpf.UserFrameSize*i:])
}

func decodeUserFrame(b []byte) userFrame {
	known, how := binary.LittleEndian.Uint16(b[36:]), binary.LittleEndian.Uint16(b[38:])
	return userFrame{
		address: binary.LittleEndian.Uint64(b),
		image:   binary.LittleEndian.Uint64(b[8:]),
		inode:   binary.LittleEndian.Uint64(b[16:]),
		offset:  binary.LittleEndian.Uint64(b[24:]),
		device:  binary.LittleEndian.Uint32(b[32:]),
		known:   known == bpf.MappingCode,
		noCode:  known == bpf.MappingNoCode,
		exact:   how&bpf.FrameExact != 0,
		guessed: how&bpf.FrameGuessed != 0,
	}
}

// decodeMemory decodes an event of kind bpf.EventMemory.
func decodeMemory(b []byte, m *memoryEvent) error {
	if len(b) < bpf.MemorySize {
		return fmt.Errorf("memory in %d bytes", len(b))
	}
	size := int(binary.LittleEndian.Uint32(b[4:]))
	if size < 0 || size > len(b)-bpf.MemorySize {
		return fmt.Errorf("memory of %d bytes in %d", size, len(b))
	}
	m.hash = binary.LittleEndian.Uint64(b[8:])
	m.address = binary.LittleEndian.Uint64(b[16:])
	m.bytes = b[bpf.MemorySize : bpf.MemorySize+size]
	return nil
}

// decodeRaw decodes an event of kind bpf.EventRawStack.
func decodeRaw(b []byte, r *rawEvent) error {
	if len(b) < bpf.RawStackSize {
		return fmt.Errorf("raw stack of %d bytes, want %d", len(b), bpf.RawStackSize)
	}
	r.verify = b[1]&bpf.StackVerify != 0
	r.frames = int(binary.LittleEndian.Uint32(b[4:]))
	r.hash = binary.LittleEndian.Uint64(b[8:])
	r.space = binary.LittleEndian.Uint64(b[16:])
	r.time = binary.LittleEndian.Uint64(b[24:])
	r.pid = binary.LittleEndian.Uint32(b[32:])
	for i := range r.regs {
		r.regs[i] = binary.LittleEndian.Uint64(b[40+8*i:])
	}
	r.last = decodeUserFrame(b[208:])
	return nil
}
