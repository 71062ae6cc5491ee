package analysistest

import "trapline/format"

// Numbers of hits in [Sample].
const (
	SampleSwitches = 100
	SampleEnters   = 40
	SampleHits     = SampleSwitches + SampleEnters
)

// Sample returns a small capture with one of everything: two probes in two
// segments, kernel and user stacks, C++ names, inlined and nameless calls, a cut
// stack, strings, arrays, negative numbers, and lost hits.
func Sample() []byte {
	b := New(format.Property{Key: format.KeyCommandLine, Value: "record -a -e sched:sched_switch -e raw_syscalls:sys_enter"},
		format.Property{Key: format.KeyTarget, Value: "system-wide"})
	b.switches(60)
	b.Segment()
	b.switches(SampleSwitches - 60)
	b.enters()
	return b.Bytes()
}

// switches writes n hits: 3 of 5 by server on CPU 0, 2 of 5 by idle on CPU 1.
func (b *Builder) switches(n int) {
	next := b.FieldOf("next_comm", format.FieldString, 0)
	prio := b.FieldOf("next_prio", format.FieldInt, 4)
	probe := b.ProbeOf(format.ProbeTracepoint, "sched:sched_switch", next, prio)
	schedule := b.KernelStack("__schedule", "schedule", "futex_wait", "do_syscall_64")
	idle := b.KernelStack("__schedule", "schedule_idle", "do_idle")
	user := b.UserStack("/usr/lib/libc.so.6", format.CutNone, "futex", "_ZN6Server4waitEv", "main")
	minusOne := ^uint64(0)
	b.Add(n*3/5, 1e9, format.Hit{
		CPU: 0, Task: b.TaskOf(100, 101, "server"), Probe: probe, KernelStack: schedule, UserStack: user,
		Args: []uint64{uint64(b.String("idle")), minusOne},
	})
	b.Add(n*2/5, 1e9+500, format.Hit{
		CPU: 1, Task: b.TaskOf(0, 0, "idle"), Probe: probe, KernelStack: idle,
		Args: []uint64{uint64(b.String("server")), 120},
	})
	b.Account(format.Count{Probe: probe, CPU: 0, Cause: format.CauseRecorded, N: SampleSwitches * 3 / 5},
		format.Count{Probe: probe, CPU: 1, Cause: format.CauseRecorded, N: SampleSwitches * 2 / 5},
		format.Count{Probe: probe, CPU: 1, Cause: format.CauseRingFull, N: 7},
		format.Count{Probe: probe, CPU: format.AnyCPU, Cause: format.CauseRecursion, N: 2})
}

// enters writes hits of a second probe by two threads of one process.
func (b *Builder) enters() {
	id := b.FieldOf("id", format.FieldInt, 8)
	args := format.Field{Name: b.String("args"), Type: format.FieldHex, Size: 8, Count: 2}
	probe := b.ProbeOf(format.ProbeTracepoint, "raw_syscalls:sys_enter", id, args)
	kernel := b.KernelStack("syscall_trace_enter", "do_syscall_64")
	cut := b.UserStack("/opt/app/server", format.CutNoRule, "helper<write_all", "?", "handle")
	whole := b.UserStack("/opt/app/server", format.CutNone, "write_all", "handle", "main")
	b.Add(SampleEnters/4, 2e9, format.Hit{
		CPU: 0, Task: b.TaskOf(100, 100, "server"), Probe: probe, KernelStack: kernel, UserStack: cut,
		Args: []uint64{1, 3, 0x7ffe},
	})
	b.Add(SampleEnters*3/4, 2e9+100, format.Hit{
		CPU: 1, Task: b.TaskOf(100, 102, "worker"), Probe: probe, KernelStack: kernel, UserStack: whole,
		Args: []uint64{0, 4, 0x7fff},
	})
	b.Account(format.Count{Probe: probe, CPU: 0, Cause: format.CauseRecorded, N: SampleEnters / 4},
		format.Count{Probe: probe, CPU: 1, Cause: format.CauseRecorded, N: SampleEnters * 3 / 4},
		format.Count{Probe: probe, CPU: 1, Cause: format.CauseFiltered, N: 11})
}
