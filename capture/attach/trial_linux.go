package attach

import (
	"fmt"
	"os"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"trapline/capture/event"
	"trapline/capture/probe"
)

// A trial is how to try a backend: a program that does nothing, and a probe at a place
// that every machine has.
type trial struct {
	program ebpf.ProgramSpec
	probe   probe.Probe
}

// Names that every kernel has and allows to trace.
const (
	triedFunction = "vfs_read"
	triedGroup    = "sched"
	triedPoint    = "sched_switch"
)

// triedPeriod is so long that a counter does not fire during the trial.
const triedPeriod = 1e9

var trials = map[probe.Backend]trial{
	probe.TracepointEvent: {ebpf.ProgramSpec{Type: ebpf.TracePoint}, probe.Probe{Group: triedGroup, Function: triedPoint}},
	probe.RawTracepoint:   {ebpf.ProgramSpec{Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: triedPoint}, probe.Probe{}},
	probe.Trampoline:      {ebpf.ProgramSpec{Type: ebpf.Tracing, AttachType: ebpf.AttachTraceFEntry, AttachTo: triedFunction}, probe.Probe{}},
	probe.KprobeMulti:     {ebpf.ProgramSpec{Type: ebpf.Kprobe}, probe.Probe{Function: triedFunction}},
	probe.KprobeEvent:     {ebpf.ProgramSpec{Type: ebpf.Kprobe}, probe.Probe{Function: triedFunction}},
	probe.UprobeMulti:     {ebpf.ProgramSpec{Type: ebpf.Kprobe}, probe.Probe{Offset: idleOffset}},
	probe.UprobeEvent:     {ebpf.ProgramSpec{Type: ebpf.Kprobe}, probe.Probe{Offset: idleOffset}},
	probe.CounterEvent:    {ebpf.ProgramSpec{Type: ebpf.PerfEvent}, probe.Probe{PerfPeriod: triedPeriod}},
	probe.BreakpointEvent: {ebpf.ProgramSpec{Type: ebpf.PerfEvent}, probe.Probe{PerfType: unix.PERF_TYPE_BREAKPOINT,
		Watch: &probe.Watch{Address: uint64(uintptr(unsafe.Pointer(&watched))), Length: uint8(unsafe.Sizeof(watched)), Access: event.AccessWrite}}},
}

// try attaches a program that does nothing like a probe of kind k and detaches it.
func try(k *probe.Kind, n *probe.Need) error {
	tr, b := trials[n.Backend], backends[n.Backend]
	p := tr.probe
	if n.Counter != (probe.Counter{}) {
		p.PerfType, p.PerfConfig = n.Counter.Type, n.Counter.Config
	}
	if k.InPrograms {
		f, err := openIdleFile()
		if err != nil {
			return err
		}
		defer f.Close()
		p.Path = fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	}
	program, err := loadIdle(tr.program, b.attachType)
	if err != nil {
		return err
	}
	defer program.Close()
	t := &target{program: program, probe: &p, atReturn: k.AtReturn(), cpus: []int{0}, scope: &Scope{TIDs: []uint32{uint32(os.Getpid())}, NoInherit: true},
		sites: []site{{0, &p, probe.Site{Function: p.Function, Offset: p.Offset}}}}
	var l links
	err = b.attach(t, &l)
	l.close()
	_, err = siteOf(err, &p)
	return err
}

// loadIdle loads a program that does nothing.
func loadIdle(spec ebpf.ProgramSpec, at ebpf.AttachType) (*ebpf.Program, error) {
	if at != ebpf.AttachNone {
		spec.AttachType = at
	}
	result := int32(1) // pass a tracepoint's event on to its other readers
	if spec.Type == ebpf.Tracing {
		result = 0 // the only value allowed
	}
	spec.License = "GPL"
	spec.Instructions = asm.Instructions{asm.Mov.Imm(asm.R0, result), asm.Return()}
	return ebpf.NewProgram(&spec)
}
