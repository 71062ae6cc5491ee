package ring

import (
	"encoding/binary"
	"fmt"

	"trapline/bpf"
)

// A Hit is a decoded struct hit (bpf/event.h). Record aliases the input.
type Hit struct {
	Flags       uint8
	Probe       uint32
	Time        uint64 // ns, CLOCK_MONOTONIC
	PID, TID    uint32
	KernelStack uint64 // hash; 0 means none
	UserStack   uint64
	Comm        [16]byte
	Record      []byte // the trace record without its first bpf.RecordOffset bytes
}

// A Stack is a decoded struct stack (bpf/event.h).
type Stack struct {
	Kernel bool
	Again  bool
	// Relative means that the hash covers places in images, so it is the same in every
	// process.
	Relative bool
	Cut      uint8
	Hash     uint64
	Space    uint64 // identifies the address space and its executable mappings
	Time     uint64 // ns, CLOCK_MONOTONIC
	PID      uint32
	Count    int
	frames   []byte
}

// A UserFrame is a decoded struct user_frame (bpf/event.h).
type UserFrame struct {
	Address, Image, Inode, Offset uint64
	Device                        uint32
	Known                         bool // the mapping was found
	NoCode                        bool // no executable mapping
	Exact                         bool // Address is where the task was interrupted, not a return address
	Guessed                       bool // the caller was found by frame pointer because there was no rule
}

// A RawStack is a decoded struct raw_stack (bpf/event.h): a user stack to be unwound in
// user space.
type RawStack struct {
	Verify    bool // compare it with the walked stack of the same hash
	Frames    int  // frames that the walk found
	Hash      uint64
	Space     uint64
	Time      uint64 // ns, CLOCK_MONOTONIC
	PID       uint32
	Registers [21]uint64 // struct pt_regs
	Last      UserFrame  // where the walk stopped
}

// A Memory is a decoded struct memory (bpf/event.h): stack memory of a raw stack. Bytes
// aliases the input.
type Memory struct {
	Hash    uint64 // hash of the raw stack that follows
	Address uint64
	Bytes   []byte
}

// eventSize returns the size of the event at the start of b in bytes, or 0 if b does not
// start with an event.
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

// DecodeHit decodes an event of kind [bpf.EventHit]. It checks all lengths.
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

// DecodeStack decodes an event of kind [bpf.EventKernelStack] or [bpf.EventUserStack].
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

// DecodeMemory decodes an event of kind [bpf.EventMemory].
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

// DecodeRawStack decodes an event of kind [bpf.EventRawStack].
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
