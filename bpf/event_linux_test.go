package bpf

import (
	"testing"
	"unsafe"
)

// The constants that decoders use are those of the C structures.
func TestEventLayout(t *testing.T) {
	var h HooksHit
	var s HooksStack
	var f HooksUserFrame
	var r HooksRing
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
		{"stack.pid", unsafe.Offsetof(s.Pid), 24},
		{"struct user_frame", unsafe.Sizeof(f), UserFrameSize},
		{"user_frame.inode", unsafe.Offsetof(f.Inode), 8},
		{"user_frame.offset", unsafe.Offsetof(f.Offset), 16},
		{"user_frame.device", unsafe.Offsetof(f.Device), 24},
		{"struct ring", unsafe.Sizeof(r), 64},
		{"the longest stack", unsafe.Sizeof(s) + MaxFrames*unsafe.Sizeof(f), LongestEvent},
		{"user_frame.known", unsafe.Offsetof(f.Known), 28},
	} {
		if c.got != c.want {
			t.Errorf("%s is at %d (or of size), the decoder has %d", c.name, c.got, c.want)
		}
	}
}
