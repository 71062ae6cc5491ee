package analysistest

import "trapline/format"

// Incomplete returns a capture of incomplete stacks: for each reason to cut a
// stack, as many hits as the number of the reason; a stack without frames; and a
// stack with guessed frames.
func Incomplete() []byte {
	b := New()
	probe := b.ProbeOf(format.ProbeTracepoint, "raw_syscalls:sys_enter")
	task := b.TaskOf(100, 100, "server")
	add := func(n int, kernel, user format.StackID) {
		b.Add(n, uint64(n)*1e9, format.Hit{Task: task, Probe: probe, KernelStack: kernel, UserStack: user})
	}
	for cut := format.CutDepth; cut <= format.CutBudget; cut++ {
		add(int(cut), 0, b.UserStack("/opt/app/server", cut, "write_all", "handle"))
	}
	add(5, 0, b.UserStack("/opt/app/server", format.CutNoRule))
	add(6, b.KernelStack("do_syscall_64"), b.UserStack("/opt/app/server", format.CutNone, "write_all", "jitted", "~checked<handle", "main"))
	return b.Bytes()
}
