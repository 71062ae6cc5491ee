package export_test

import (
	"bytes"
	"testing"

	"trapline/analysis"
	"trapline/format"
)

// Known facts about the test capture.
const (
	switchHits = 7 // sched:sched_switch, kernel and user stacks
	allocHits  = 5 // uprobe of a C++ allocator, with awkward strings
	countHits  = 3 // tracepoint without stacks
	allHits    = switchHits + allocHits + countHits
	allocBytes = 1000 + 2000 + 3000 + 4000 + 5000

	monotonic = 5_000_000_000
	realtime  = 1_700_000_000_000_000_000
)

// awkward are strings of the alloc hits. They contain text that is special in some
// format, and invalid text.
var awkward = [allocHits]string{
	`say "hello", world`,
	"two\nlines\ttab",
	`<svg onload="x()">&amp;]]>`,
	"bad utf-8 \xff\xfe and a time 12.5: x",
	"",
}

// builder writes a capture, with shorthands for interning.
type builder struct {
	t testing.TB
	*format.Writer
	symbols []format.Symbol
	time    uint64
}

func (b *builder) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// frame returns a return address at an offset, with the names of its calls,
// innermost first. Without names, the address is not in a symbol table.
func (b *builder) frame(image format.ImageID, offset uint64, calls ...format.Call) format.FrameID {
	id := b.Frame(format.Frame{Image: image, Offset: offset, Flags: format.FrameReturn})
	b.symbols = append(b.symbols, format.Symbol{Frame: id, Calls: calls})
	return id
}

func (b *builder) call(function, file string, line uint32, offset uint64) format.Call {
	c := format.Call{Function: b.String(function), Line: line, Offset: offset}
	if file != "" {
		c.File = b.String(file)
	}
	return c
}

func (b *builder) hit(h format.Hit) {
	b.time += 1_000_001
	h.Time = monotonic + b.time
	b.check(b.Hit(&h))
}

// testCapture returns a small capture of everything that formats must handle:
// kernel and user stacks, inlined calls, a cut stack, addresses without names, C++
// names, several probes, tasks and argument types, and hits without stacks.
func testCapture(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := format.NewWriter(&out, []format.Property{
		{Key: format.KeyHostname, Value: "bench-1"},
		{Key: format.KeyKernel, Value: "6.12.0-test"},
		{Key: format.KeyArch, Value: "amd64"},
		{Key: format.KeyCPUs, Value: "0-3"},
		{Key: format.KeyCommandLine, Value: "record -a -e sched:sched_switch"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{t: t, Writer: w}
	b.check(w.StartSegment(format.Clock{Monotonic: monotonic, Boottime: monotonic, Realtime: realtime}))

	stacks := b.stacks()
	tasks := b.tasks()
	b.hits(stacks, tasks, b.probes())
	b.check(w.Symbols(b.symbols))
	b.check(w.Close())
	return out.Bytes()
}

// testStacks are the stacks of the test capture, and a frame of the kernel's.
type testStacks struct {
	kernel, read, poll, cut format.StackID
	schedule                format.FrameID
}

func (b *builder) stacks() testStacks {
	kernel := b.Image(format.Image{Kind: format.ImageKernel, Path: b.String("[kernel.kallsyms]"), BuildID: b.String("\xaa\xbb\xcc\xdd")})
	app := b.Image(format.Image{Kind: format.ImageELF, Path: b.String("/opt/my app/bin/server"), BuildID: b.String("\x01\x02\x03\x04")})
	libc := b.Image(format.Image{Kind: format.ImageELF, Path: b.String("/usr/lib/libc.so.6"), Inode: 77})

	schedule := b.frame(kernel, 0x1facd8, b.call("__schedule", "kernel/sched/core.c", 6800, 0x618))
	doSyscall := b.frame(kernel, 0x2ef81a,
		b.call("x64_sys_call", "arch/x86/entry/syscall_64.c", 32, 0),
		b.call("do_syscall_64", "arch/x86/entry/common.c", 80, 0x1fa))
	entry := b.frame(kernel, 0x130, b.call("entry_SYSCALL_64_after_hwframe", "", 0, 0x76))
	read := b.frame(libc, 0xfdd6b, b.call("read", "", 0, 0x3b))
	start := b.frame(libc, 0x2724a, b.call("__libc_start_call_main", "", 0, 0x7a))
	stripped := b.frame(libc, 0x99999)
	raw := b.frame(0, 0x7f0012345678)
	handle := b.frame(app, 0x4100,
		b.call("_ZNSt6vectorIiSaIiEE9push_backERKi", "/usr/include/c++/12/bits/stl_vector.h", 1287, 0),
		b.call("_ZN4http6Server6handleERKSs", "/src/server.cc", 120, 0x40))
	anonymous := b.frame(app, 0x4a00, b.call("_ZN12_GLOBAL__N_14pollEv", "/src/server.cc", 44, 0x12))
	mainFrame := b.frame(app, 0x5000, b.call("main", "/src/main.cc", 10, 0x99))
	odd := b.frame(app, 0x6000, b.call("weird;name <T> & \"co\"", "", 0, 1))

	return testStacks{
		schedule: schedule,
		kernel:   b.Stack(format.Stack{Kernel: true, Frames: []format.FrameID{schedule, doSyscall, entry}}),
		read:     b.Stack(format.Stack{Frames: []format.FrameID{read, handle, mainFrame, start}}),
		poll:     b.Stack(format.Stack{Frames: []format.FrameID{anonymous, mainFrame, start}}),
		cut:      b.Stack(format.Stack{Cut: format.CutUnreadable, Frames: []format.FrameID{odd, stripped, raw}}),
	}
}

type testTasks struct{ worker, server, shell format.TaskID }

func (b *builder) tasks() testTasks {
	return testTasks{
		worker: b.Task(format.Task{PID: 100, TID: 101, Comm: b.String("V8 Worker 12")}),
		server: b.Task(format.Task{PID: 100, TID: 100, Comm: b.String("server")}),
		shell:  b.Task(format.Task{PID: 200, TID: 200, Comm: b.String("s")}),
	}
}

type testProbes struct{ switches, allocs, counts format.ProbeID }

func (b *builder) probes() (p testProbes) {
	field := func(name string, kind format.FieldType, size uint8, count uint16) format.Field {
		return format.Field{Name: b.String(name), Type: kind, Size: size, Count: count}
	}
	p.switches = b.Probe(format.Probe{
		Kind: format.ProbeTracepoint, Name: b.String("sched:sched_switch"), Event: b.String("sched:sched_switch"), Period: 1,
		Shape: b.Shape(format.Shape{Fields: []format.Field{
			field("next_comm", format.FieldString, 0, 1), field("pid", format.FieldInt, 4, 1), field("state", format.FieldHex, 8, 1),
		}}),
	})
	p.allocs = b.Probe(format.Probe{
		Kind: format.ProbeUprobe, Name: b.String("uprobe:server:alloc"), Event: b.String("uprobe:server:alloc"), Period: 1,
		Shape: b.Shape(format.Shape{Fields: []format.Field{
			field("bytes", format.FieldUint, 8, 1), field("why", format.FieldString, 0, 1), field("raw", format.FieldBytes, 0, 1),
			field("slots", format.FieldInt, 2, 3), field("flag", format.FieldChar, 1, 1), field("hot", format.FieldBool, 1, 1),
			field("owner", format.FieldSymbol, 8, 1), field("ptr", format.FieldPointer, 8, 1),
		}}),
	})
	p.counts = b.Probe(format.Probe{
		Kind: format.ProbeTracepoint, Name: b.String("app:count"), Event: b.String("app:*"), Period: 1,
		Shape: b.Shape(format.Shape{Fields: nil}),
	})
	return p
}

// hits writes all hits of the test capture.
func (b *builder) hits(stacks testStacks, tasks testTasks, probes testProbes) {
	for i := range uint64(switchHits) {
		h := format.Hit{CPU: uint32(i % 2), Task: tasks.server, Probe: probes.switches, KernelStack: stacks.kernel, UserStack: stacks.read}
		if i >= 4 {
			h.Task, h.UserStack = tasks.worker, stacks.poll
		}
		pid := int64(300) - int64(i)*100 // below zero at last
		h.Args = []uint64{uint64(b.String([]string{"swapper/0", "a b"}[i%2])), uint64(pid), 1 << i}
		b.hit(h)
	}
	for i := range uint64(allocHits) {
		minus := int64(-1)
		b.hit(format.Hit{CPU: 3, Task: tasks.shell, Probe: probes.allocs, UserStack: stacks.cut, Args: []uint64{
			1000 * (i + 1), uint64(b.String(awkward[i])), uint64(b.String("\x00\xff\n")),
			uint64(minus), i, 32767, 'A' + i, i % 2, uint64(stacks.schedule), 0x7ffe00000000 + i,
		}})
	}
	for range countHits {
		b.hit(format.Hit{CPU: 2, Task: tasks.shell, Probe: probes.counts})
	}
}

func inputs(captures ...[]byte) []*analysis.Input {
	var in []*analysis.Input
	for _, c := range captures {
		in = append(in, analysis.NewFile("test.data", bytes.NewReader(c)))
	}
	return in
}
