package bpf

import (
	"testing"
	"unsafe"
)

// TestEventLayout compares the sizes and offsets that decoders use with the C
// structures, as BTF describes them.
func TestEventLayout(t *testing.T) {
	var h HooksHit
	var s HooksStack
	var f HooksUserFrame
	var r HooksRing
	var m HooksMemory
	var raw HooksRawStack
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"struct hit", unsafe.Sizeof(h), HitSize},
		{"hit.size", unsafe.Offsetof(h.Size), 2},
		{"hit.probe", unsafe.Offsetof(h.Probe), 4},
		{"hit.time", unsafe.Offsetof(h.Time), 8},
		{"hit.pid", unsafe.Offsetof(h.Pid), 16},
		{"hit.tid", unsafe.Offsetof(h.Tid), 20},
		{"hit.kernel_stack", unsafe.Offsetof(h.KernelStack), 24},
		{"hit.user_stack", unsafe.Offsetof(h.UserStack), 32},
		{"hit.comm", unsafe.Offsetof(h.Comm), 40},
		{"struct stack", unsafe.Sizeof(s), StackSize},
		{"stack.cut", unsafe.Offsetof(s.Cut), 2},
		{"stack.frames", unsafe.Offsetof(s.Frames), 4},
		{"stack.hash", unsafe.Offsetof(s.Hash), 8},
		{"stack.space", unsafe.Offsetof(s.Space), 16},
		{"stack.time", unsafe.Offsetof(s.Time), 24},
		{"stack.pid", unsafe.Offsetof(s.Pid), 32},
		{"struct user_frame", unsafe.Sizeof(f), UserFrameSize},
		{"user_frame.image", unsafe.Offsetof(f.Image), 8},
		{"user_frame.inode", unsafe.Offsetof(f.Inode), 16},
		{"user_frame.offset", unsafe.Offsetof(f.Offset), 24},
		{"user_frame.device", unsafe.Offsetof(f.Device), 32},
		{"user_frame.how", unsafe.Offsetof(f.How), 38},
		{"struct memory", unsafe.Sizeof(m), MemorySize},
		{"memory.size", unsafe.Offsetof(m.Size), 4},
		{"memory.hash", unsafe.Offsetof(m.Hash), 8},
		{"memory.address", unsafe.Offsetof(m.Address), 16},
		{"struct raw_stack", unsafe.Sizeof(raw), RawStackSize},
		{"raw_stack.frames", unsafe.Offsetof(raw.Frames), 4},
		{"raw_stack.hash", unsafe.Offsetof(raw.Hash), 8},
		{"raw_stack.space", unsafe.Offsetof(raw.Space), 16},
		{"raw_stack.time", unsafe.Offsetof(raw.Time), 24},
		{"raw_stack.pid", unsafe.Offsetof(raw.Pid), 32},
		{"raw_stack.regs", unsafe.Offsetof(raw.Regs), 40},
		{"raw_stack.last", unsafe.Offsetof(raw.Last), 208},
		{"struct ring", unsafe.Sizeof(r), 64},
		{"user_frame.known", unsafe.Offsetof(f.Known), 36},
	} {
		if c.got != c.want {
			t.Errorf("offset or size of %s is %d, the decoder uses %d", c.name, c.got, c.want)
		}
	}
	if longest := unsafe.Sizeof(s) + MaxFrames*unsafe.Sizeof(f); longest > LongestEvent {
		t.Errorf("the longest stack takes %d bytes, LongestEvent is %d", longest, LongestEvent)
	}
}
