package host

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

var errNoTraceFS = errors.New("tracefs is not mounted")

// probed is a kernel function that every kernel has and that can be traced.
const probed = "vfs_read"

// briefly loads a program that does nothing, attaches it, and takes it away again.
func briefly(spec ebpf.ProgramSpec, attach func(p *ebpf.Program) (link.Link, error)) error {
	p, err := load(spec)
	if err != nil {
		return err
	}
	defer p.Close()
	l, err := attach(p)
	if err != nil {
		return err
	}
	return l.Close()
}

func load(spec ebpf.ProgramSpec) (*ebpf.Program, error) {
	result := int32(1) // the kernel hands a tracepoint's event on to its other readers
	if spec.Type == ebpf.Tracing {
		result = 0 // all that is allowed
	}
	spec.License = "GPL"
	spec.Instructions = asm.Instructions{asm.Mov.Imm(asm.R0, result), asm.Return()}
	return ebpf.NewProgram(&spec)
}

func tryTracepoint(tracefs string) error {
	if tracefs == "" {
		return errNoTraceFS
	}
	b, err := os.ReadFile(filepath.Join(tracefs, "events/sched/sched_switch/id"))
	if err != nil {
		return err
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return err
	}
	return tryEvent(ebpf.TracePoint, unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Sample: 1}, everyTask)
}

func tryRawTracepoint(string) error { return tryTracing(ebpf.AttachTraceRawTp, "sched_switch") }
func tryFentry(string) error        { return tryTracing(ebpf.AttachTraceFEntry, probed) }

func tryTracing(typ ebpf.AttachType, to string) error {
	return briefly(ebpf.ProgramSpec{Type: ebpf.Tracing, AttachType: typ, AttachTo: to}, func(p *ebpf.Program) (link.Link, error) {
		return link.AttachTracing(link.TracingOptions{Program: p, AttachType: typ})
	})
}

func tryKprobe(string) error {
	return briefly(ebpf.ProgramSpec{Type: ebpf.Kprobe}, func(p *ebpf.Program) (link.Link, error) {
		return link.Kprobe(probed, p, nil)
	})
}

func tryKretprobe(string) error {
	return briefly(ebpf.ProgramSpec{Type: ebpf.Kprobe}, func(p *ebpf.Program) (link.Link, error) {
		return link.Kretprobe(probed, p, nil)
	})
}

func tryKprobeMulti(string) error {
	return briefly(ebpf.ProgramSpec{Type: ebpf.Kprobe, AttachType: ebpf.AttachTraceKprobeMulti}, func(p *ebpf.Program) (link.Link, error) {
		return link.KprobeMulti(p, link.KprobeMultiOptions{Symbols: []string{probed}})
	})
}

func tryUprobe(string) error {
	return inIdleFile(func(ex *link.Executable) error {
		return briefly(ebpf.ProgramSpec{Type: ebpf.Kprobe}, func(p *ebpf.Program) (link.Link, error) {
			return ex.Uprobe("", p, &link.UprobeOptions{Address: idleOffset})
		})
	})
}

func tryUprobeMulti(string) error {
	return inIdleFile(func(ex *link.Executable) error {
		return briefly(ebpf.ProgramSpec{Type: ebpf.Kprobe, AttachType: ebpf.AttachTraceUprobeMulti}, func(p *ebpf.Program) (link.Link, error) {
			return ex.UprobeMulti(nil, p, &link.UprobeMultiOptions{Addresses: []uint64{idleOffset}})
		})
	})
}

func tryClock(string) error {
	return tryEvent(ebpf.PerfEvent, unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_CPU_CLOCK, Sample: 1e9}, everyTask)
}

func tryCycles(string) error {
	return tryEvent(ebpf.PerfEvent, unix.PerfEventAttr{Type: unix.PERF_TYPE_HARDWARE, Config: unix.PERF_COUNT_HW_CPU_CYCLES, Sample: 1e9}, everyTask)
}

// A target is whose hits a perf event has: arguments of perf_event_open(2).
type target struct{ pid, cpu int }

var (
	everyTask = target{-1, 0}
	thisTask  = target{0, -1}
)

// tryEvent opens a perf event, disabled, and gives it a program, which goes with it.
func tryEvent(typ ebpf.ProgramType, attr unix.PerfEventAttr, t target) error {
	attr.Size, attr.Bits = uint32(unsafe.Sizeof(attr)), unix.PerfBitDisabled
	fd, err := unix.PerfEventOpen(&attr, t.pid, t.cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	p, err := load(ebpf.ProgramSpec{Type: typ})
	if err != nil {
		return err
	}
	defer p.Close()
	return unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, p.FD())
}
