package ring

import (
	"encoding/binary"
	"fmt"

	"trapline/bpf"
)

// A Hit is one decoded bpf/event.h struct hit. record aliases the input.
type Hit struct {
	Flags       uint8
	Probe       uint32
	Time        uint64 // ns, CLOCK_MONOTONIC
	PID, TID    uint32
	KernelStack uint64 // hash; 0 none
	UserStack   uint64
	Comm        [16]byte
	Record      []byte // the trace record without its first bpf.RecordOffset bytes
}

// A Stack is one decoded struct stack. frames aliases the input and holds
// addresses (kernel) or struct user_frame (user).
type Stack struct {
	Kernel bool
	Again  bool
	// relative: the hash is of places in images, the same in every process
	Relative bool
	Cut      uint8
	Hash     uint64
	Space    uint64 // names the address space and its executable mappings
	Time     uint64 // ns, CLOCK_MONOTONIC
	PID      uint32
	Count    int
	frames   []byte
}

// A UserFrame is one decoded struct user_frame.
type UserFrame struct {
	Address, Image, Inode, Offset uint64
	Device                        uint32
	Known                         bool // what is mapped there was found
	NoCode                        bool // nothing that can be executed is mapped there
	Exact                         bool // the task was interrupted there, it is no return address
	Guessed                       bool // its caller was found by the frame pointer, for want of a rule
}

// A RawStack is one decoded struct raw_stack: a user stack to be unwound here.
type RawStack struct {
	Verify    bool // the stack with this hash is to be compared with it
	Frames    int  // that the walk passed
	Hash      uint64
	Space     uint64
	Time      uint64 // ns, CLOCK_MONOTONIC
	PID       uint32
	Registers [21]uint64 // struct pt_regs
	Last      UserFrame  // where the walk ended
}

// A Memory is one decoded struct memory. bytes aliases the input.
type Memory struct {
	Hash    uint64 // of the raw stack that follows
	Address uint64
	Bytes   []byte
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

// DecodeHit decodes an event of kind bpf.EventHit. It trusts no length.
func DecodeHit(b []byte, h *Hit) error {
	if len(b) < bpf.HitSize {
		return fmt.Errorf("hit of %d bytes, want at least %d", len(b), bpf.HitSize)
	}
	size := int(binary.LittleEndian.Uint16(b[2:]))
	if size > len(b)-bpf.HitSize {
		return fmt.Errorf("hit with a record of %d bytes in %d", size, len(b)-bpf.HitSize)
	}
	h.Flags = b[1]
	h.Probe = binary.LittleEndian.Uint32(b[4:])
	h.Time = binary.LittleEndian.Uint64(b[8:])
	h.PID = binary.LittleEndian.Uint32(b[16:])
	h.TID = binary.LittleEndian.Uint32(b[20:])
	h.KernelStack = binary.LittleEndian.Uint64(b[24:])
	h.UserStack = binary.LittleEndian.Uint64(b[32:])
	h.Comm = [16]byte(b[40:56])
	h.Record = b[bpf.HitSize : bpf.HitSize+size]
	return nil
}

// DecodeStack decodes an event of kind bpf.EventKernelStack or bpf.EventUserStack.
func DecodeStack(b []byte, s *Stack) error {
	if len(b) < bpf.StackSize {
		return fmt.Errorf("stack of %d bytes, want at least %d", len(b), bpf.StackSize)
	}
	s.Kernel = b[0] == bpf.EventKernelStack
	s.Again = b[1]&bpf.StackAgain != 0
	s.Relative = b[1]&bpf.StackRelative != 0
	s.Cut = b[2]
	s.Count = int(binary.LittleEndian.Uint32(b[4:]))
	s.Hash = binary.LittleEndian.Uint64(b[8:])
	s.Space = binary.LittleEndian.Uint64(b[16:])
	s.Time = binary.LittleEndian.Uint64(b[24:])
	s.PID = binary.LittleEndian.Uint32(b[32:])
	size := bpf.UserFrameSize
	if s.Kernel {
		size = 8
	}
	if s.Count < 0 || s.Count > bpf.MaxFrames || s.Count*size > len(b)-bpf.StackSize {
		return fmt.Errorf("stack of %d frames in %d bytes", s.Count, len(b))
	}
	s.frames = b[bpf.StackSize : bpf.StackSize+s.Count*size]
	return nil
}

func (s *Stack) Address(i int) uint64 { return binary.LittleEndian.Uint64(s.frames[8*i:]) }

func (s *Stack) UserFrame(i int) UserFrame {
	return decodeUserFrame(s.frames[bpf.UserFrameSize*i:])
}

func decodeUserFrame(b []byte) UserFrame {
	known, how := binary.LittleEndian.Uint16(b[36:]), binary.LittleEndian.Uint16(b[38:])
	return UserFrame{
		Address: binary.LittleEndian.Uint64(b),
		Image:   binary.LittleEndian.Uint64(b[8:]),
		Inode:   binary.LittleEndian.Uint64(b[16:]),
		Offset:  binary.LittleEndian.Uint64(b[24:]),
		Device:  binary.LittleEndian.Uint32(b[32:]),
		Known:   known == bpf.MappingCode,
		NoCode:  known == bpf.MappingNoCode,
		Exact:   how&bpf.FrameExact != 0,
		Guessed: how&bpf.FrameGuessed != 0,
	}
}

// DecodeMemory decodes an event of kind bpf.EventMemory.
func DecodeMemory(b []byte, m *Memory) error {
	if len(b) < bpf.MemorySize {
		return fmt.Errorf("memory in %d bytes", len(b))
	}
	size := int(binary.LittleEndian.Uint32(b[4:]))
	if size < 0 || size > len(b)-bpf.MemorySize {
		return fmt.Errorf("memory of %d bytes in %d", size, len(b))
	}
	m.Hash = binary.LittleEndian.Uint64(b[8:])
	m.Address = binary.LittleEndian.Uint64(b[16:])
	m.Bytes = b[bpf.MemorySize : bpf.MemorySize+size]
	return nil
}

// DecodeRawStack decodes an event of kind bpf.EventRawStack.
func DecodeRawStack(b []byte, r *RawStack) error {
	if len(b) < bpf.RawStackSize {
		return fmt.Errorf("raw stack of %d bytes, want %d", len(b), bpf.RawStackSize)
	}
	r.Verify = b[1]&bpf.StackVerify != 0
	r.Frames = int(binary.LittleEndian.Uint32(b[4:]))
	r.Hash = binary.LittleEndian.Uint64(b[8:])
	r.Space = binary.LittleEndian.Uint64(b[16:])
	r.Time = binary.LittleEndian.Uint64(b[24:])
	r.PID = binary.LittleEndian.Uint32(b[32:])
	for i := range r.Registers {
		r.Registers[i] = binary.LittleEndian.Uint64(b[40+8*i:])
	}
	r.Last = decodeUserFrame(b[208:])
	return nil
}
