package capture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/probe"
	"trapline/format"
)

// An attachment is one probe's loaded program and what ties it to its hook. All
// of it goes with the process: nothing is left behind after a crash.
type attachment struct {
	probe   *probe.Probe
	program *ebpf.Program
	links   []link.Link
	perf    []int // perf events that the links hang on

	begun             bool
	recursion, missed uint64 // counts of the kernel when recording began
}

func (p *programs) attach(index int, pr *probe.Probe, cpus []int) (*attachment, error) {
	name := probeProgram[pr.Kind]
	if name == "" {
		return nil, fmt.Errorf("%s: probes of kind %s cannot be attached", pr.Name, pr.Kind)
	}
	attachTo := ""
	switch pr.Kind {
	case format.ProbeRawTracepoint, format.ProbeFentry, format.ProbeFexit:
		attachTo = pr.Function
	}
	program, err := p.load(name, attachTo, index, pr)
	if err != nil {
		return nil, explainLoad(pr, err)
	}
	a := &attachment{probe: pr, program: program}
	if err := a.open(cpus); err != nil {
		a.close()
		return nil, explainAttach(pr, err)
	}
	return a, nil
}

func (a *attachment) open(cpus []int) error {
	pr := a.probe
	var (
		l   link.Link
		err error
	)
	switch pr.Kind {
	case format.ProbeTracepoint:
		return a.openTracepoint(cpus[0])
	case format.ProbeRawTracepoint:
		l, err = link.AttachTracing(link.TracingOptions{Program: a.program, AttachType: ebpf.AttachTraceRawTp})
	case format.ProbeFentry:
		l, err = link.AttachTracing(link.TracingOptions{Program: a.program, AttachType: ebpf.AttachTraceFEntry})
	case format.ProbeFexit:
		l, err = link.AttachTracing(link.TracingOptions{Program: a.program, AttachType: ebpf.AttachTraceFExit})
	case format.ProbeKprobe:
		l, err = link.Kprobe(pr.Function, a.program, &link.KprobeOptions{Offset: pr.Offset})
	case format.ProbeKretprobe:
		l, err = link.Kretprobe(pr.Function, a.program, nil)
	case format.ProbeUprobe, format.ProbeUretprobe:
		var ex *link.Executable
		if ex, err = link.OpenExecutable(pr.Path); err != nil {
			return err
		}
		opt := &link.UprobeOptions{Address: pr.Offset}
		if pr.Kind == format.ProbeUprobe {
			l, err = ex.Uprobe(pr.Function, a.program, opt)
		} else {
			l, err = ex.Uretprobe(pr.Function, a.program, opt)
		}
	case format.ProbeTimed:
		return a.openTimed(cpus)
	}
	if err != nil {
		return err
	}
	a.links = append(a.links, l)
	return nil
}

// openTracepoint attaches to a perf event of the tracepoint that is never enabled:
// programs run for a tracepoint as soon as there is an event of it, and an
// enabled one would cost every hit on its CPU a sample that nobody reads.
func (a *attachment) openTracepoint(cpu int) error {
	dir, _, err := TraceFS()
	if err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(dir, "events", a.probe.Group, a.probe.Function, "id"))
	if err != nil {
		return err
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return err
	}
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Sample_type: unix.PERF_SAMPLE_RAW,
		Sample: 1, Bits: unix.PerfBitDisabled}
	return a.openPerf(&attr, cpu)
}

// openPerf opens a perf event on a CPU and attaches the program to it.
func (a *attachment) openPerf(attr *unix.PerfEventAttr, cpu int) error {
	attr.Size = uint32(unsafe.Sizeof(*attr))
	fd, err := unix.PerfEventOpen(attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("perf_event_open on CPU %d: %w", cpu, err)
	}
	a.perf = append(a.perf, fd)
	l, err := link.AttachRawLink(link.RawLinkOptions{Target: fd, Program: a.program, Attach: ebpf.AttachPerfEvent})
	if err != nil {
		return fmt.Errorf("attach to the perf event of CPU %d: %w", cpu, err)
	}
	a.links = append(a.links, l)
	return nil
}

// defaultFrequency of timed events: not a divisor of the kernel's tick, so that
// samples do not run in step with what the tick does.
const defaultFrequency = 99

// openTimed opens one perf event a CPU and attaches the program to each.
func (a *attachment) openTimed(cpus []int) error {
	attr := unix.PerfEventAttr{
		Type:   a.probe.PerfType,
		Config: a.probe.PerfConfig,
		Sample: a.probe.Frequency,
		Bits:   unix.PerfBitFreq,
	}
	if attr.Sample == 0 {
		attr.Sample = defaultFrequency
	}
	if a.probe.PerfPeriod > 0 {
		attr.Sample, attr.Bits = a.probe.PerfPeriod, 0
	}
	for _, cpu := range cpus {
		if err := a.openPerf(&attr, cpu); err != nil {
			return err
		}
	}
	return nil
}

// begin notes what the kernel has counted so far.
func (a *attachment) begin() {
	a.begun = true
	a.recursion, a.missed = a.kernelCounts()
}

// since returns how many hits the kernel has skipped since begin: because a probe was
// being run already, and because a return probe had no free instance.
func (a *attachment) since() (recursion, missed uint64) {
	if !a.begun {
		return 0, 0
	}
	r, m := a.kernelCounts()
	return r - a.recursion, m - a.missed
}

func (a *attachment) kernelCounts() (recursion, missed uint64) {
	if s, err := a.program.Stats(); err == nil {
		recursion = s.RecursionMisses
	}
	for _, l := range a.links {
		info, err := l.Info()
		if err != nil {
			continue
		}
		if pe := info.PerfEvent(); pe != nil {
			if k := pe.Kprobe(); k != nil {
				missed += k.Missed // 6.7
			}
		}
	}
	return recursion, missed
}

func (a *attachment) detach() error {
	var errs []error
	for _, l := range a.links {
		errs = append(errs, l.Close())
	}
	for _, fd := range a.perf {
		errs = append(errs, unix.Close(fd))
	}
	a.links, a.perf = nil, nil
	return errors.Join(errs...)
}

func (a *attachment) close() error {
	return errors.Join(a.detach(), a.program.Close())
}

// explainLoad says why a program could not be loaded, in the user's terms.
func explainLoad(pr *probe.Probe, err error) error {
	tracing := pr.Kind == format.ProbeFentry || pr.Kind == format.ProbeFexit
	switch {
	case tracing && errors.Is(err, unix.EPERM):
		return &probe.UnsupportedError{Event: pr.Event, Reason: "this kernel refuses fentry and fexit programs (it is locked down, or built without CONFIG_FPROBE and dynamic ftrace)",
			Remedy: "a tracepoint or rawtracepoint near the function works; see record -l"}
	case errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) && !isVerifier(err):
		return &probe.PermissionError{What: pr.Event + ": loading the program", Need: "root, or CAP_BPF and CAP_PERFMON"}
	case tracing && (errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EINVAL) || errors.Is(err, link.ErrNotSupported)):
		return &probe.UnsupportedError{Event: pr.Event, Reason: "the kernel cannot trace this function by fentry (it is notrace, or inlined)",
			Remedy: "try kprobe:" + pr.Function}
	}
	return fmt.Errorf("%s: load the program: %w", pr.Name, err)
}

func isVerifier(err error) bool {
	var ve *ebpf.VerifierError
	return errors.As(err, &ve) && len(ve.Log) > 0
}

// explainAttach says why a loaded program could not be attached.
func explainAttach(pr *probe.Probe, err error) error {
	switch {
	case errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES):
		need := "root, or CAP_BPF and CAP_PERFMON"
		if pr.Path != "" {
			need = "root, or CAP_SYS_ADMIN as well" // perf_uprobe_event_init in kernel/events/core.c
		}
		return &probe.PermissionError{What: pr.Event + ": attaching", Need: need}
	case pr.Kind == format.ProbeTimed && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP)):
		return &probe.UnsupportedError{Event: pr.Event, Reason: "this machine has no such counter (virtual machines often have none)",
			Remedy: "use -e cpu-clock"}
	case (pr.Kind == format.ProbeKprobe || pr.Kind == format.ProbeKretprobe) && errors.Is(err, fs.ErrNotExist):
		if pr.Offset != 0 {
			return fmt.Errorf("%s: offset %#x is not the start of an instruction", pr.Name, pr.Offset)
		}
		return &probe.UnsupportedError{Event: pr.Event, Reason: "the kernel does not allow a probe on this function (it is notrace, on the blacklist, or inlined everywhere)",
			Remedy: "see /sys/kernel/debug/kprobes/blacklist, or probe a caller"}
	case (pr.Kind == format.ProbeKprobe || pr.Kind == format.ProbeKretprobe) && (errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EILSEQ)):
		return fmt.Errorf("%s: the kernel refuses a probe at this place: it must be the start of an instruction that may be probed", pr.Name)
	}
	return fmt.Errorf("%s: attach: %w", pr.Name, err)
}

// tracker attaches the programs that let children inherit the scope.
func (p *programs) tracker() (*attachment, error) {
	a := &attachment{probe: &probe.Probe{Name: "fork tracking"}}
	for program, tracepoint := range map[string]string{
		bpf.HooksProgOnFork: "sched_process_fork", bpf.HooksProgOnExit: "sched_process_exit"} {
		prog, err := p.load(program, tracepoint, 0, nil)
		if err != nil {
			a.detach()
			return nil, explainLoad(&probe.Probe{Name: "fork tracking"}, err)
		}
		l, err := link.AttachTracing(link.TracingOptions{Program: prog, AttachType: ebpf.AttachTraceRawTp})
		prog.Close()
		if err != nil {
			a.detach()
			return nil, explainAttach(&probe.Probe{Name: "fork tracking"}, err)
		}
		a.links = append(a.links, l)
	}
	return a, nil
}
