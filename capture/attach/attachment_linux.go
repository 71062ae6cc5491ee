package attach

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/probe"
	"trapline/format"
)

// An Attachment is one program, loaded for a group of sites, and what ties it to
// them. All of it goes with the process: nothing is left behind after a crash.
type Attachment struct {
	Group   *Group
	program *ebpf.Program
	Links   []link.Link
	perf    []int // perf events that the links hang on

	begun             bool
	Recursion, Missed uint64 // counts of the kernel when recording began
}

// Attach loads a group's program and attaches it.
func (p *Programs) Attach(g *Group, cpus []int) (*Attachment, error) {
	a, err := p.attachOnce(g, cpus)
	if err != nil && g.multi {
		// All or nothing, and the kernel does not say which site it refuses.
		g.multi = false
		return p.attachOnce(g, cpus)
	}
	return a, err
}

func (p *Programs) attachOnce(g *Group, cpus []int) (*Attachment, error) {
	pr := g.probe
	program, err := p.loadGroup(g)
	if err != nil {
		return nil, explainLoad(pr, err)
	}
	a := &Attachment{Group: g, program: program}
	if g.multi {
		err = a.openMulti()
	} else {
		err = a.open(&p.settings.Scope, cpus)
	}
	if err != nil {
		a.Close()
		var at *siteError
		if errors.As(err, &at) {
			pr, err = at.probe, at.err
		}
		return nil, explainAttach(pr, err)
	}
	return a, nil
}

// A siteError says which probe of a group could not be attached.
type siteError struct {
	probe *probe.Probe
	err   error
}

func (e *siteError) Error() string { return e.probe.Name + ": " + e.err.Error() }

// open attaches to the sites one by one.
func (a *Attachment) open(scope *Scope, cpus []int) error {
	switch a.Group.probe.Kind {
	case format.ProbeTracepoint:
		return a.openTracepoints(cpus[0])
	case format.ProbeRawTracepoint:
		return a.openTracing(ebpf.AttachTraceRawTp)
	case format.ProbeFentry:
		return a.openTracing(ebpf.AttachTraceFEntry)
	case format.ProbeFexit:
		return a.openTracing(ebpf.AttachTraceFExit)
	case format.ProbeTimed:
		return a.openTimed(cpus)
	case format.ProbeWatchpoint:
		return a.openWatchpoint(scope, cpus)
	case format.ProbeKprobe, format.ProbeKretprobe:
		return a.openKprobes()
	default:
		return a.openUprobes()
	}
}

func (a *Attachment) openTracing(at ebpf.AttachType) error {
	l, err := link.AttachTracing(link.TracingOptions{Program: a.program, AttachType: at})
	if err != nil {
		return err
	}
	a.Links = append(a.Links, l)
	return nil
}

// Begin notes what the kernel has counted so far.
func (a *Attachment) Begin() {
	a.begun = true
	a.Recursion, a.Missed = a.kernelCounts()
}

// Since returns how many hits the kernel has skipped since begin: because a probe was
// being run already, and because a return probe had no free instance.
func (a *Attachment) Since() (recursion, missed uint64) {
	if !a.begun {
		return 0, 0
	}
	r, m := a.kernelCounts()
	return r - a.Recursion, m - a.Missed
}

func (a *Attachment) kernelCounts() (recursion, missed uint64) {
	if s, err := a.program.Stats(); err == nil {
		recursion = s.RecursionMisses
	}
	for _, l := range a.Links {
		info, err := l.Info()
		if err != nil {
			continue
		}
		if m := info.KprobeMulti(); m != nil {
			missed += m.Missed // 6.7
		}
		if pe := info.PerfEvent(); pe != nil {
			if k := pe.Kprobe(); k != nil {
				missed += k.Missed // 6.7
			}
		}
	}
	return recursion, missed
}

// Detach ends the hits. Each link and event waits for the kernel to let go of what
// it probed, so many are closed at the same time.
func (a *Attachment) Detach() error {
	errs := make([]error, len(a.Links)+len(a.perf))
	each(len(errs), func(i int) {
		if i < len(a.Links) {
			errs[i] = a.Links[i].Close()
		} else {
			errs[i] = unix.Close(a.perf[i-len(a.Links)])
		}
	})
	a.Links, a.perf = nil, nil
	return errors.Join(errs...)
}

// each calls f with 0 to n-1, several at a time.
func each(n int, f func(int)) {
	const workers = 32
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, workers) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

func (a *Attachment) Close() error {
	return errors.Join(a.Detach(), a.program.Close())
}

// Tracker attaches the programs that let children inherit the scope.
func (p *Programs) Tracker() (*Attachment, error) {
	return p.attachTracing("following children", map[string]string{
		bpf.HooksProgOnFork: "sched_process_fork", bpf.HooksProgOnExit: "sched_process_exit"})
}

// attachTracing attaches programs to raw tracepoints, for the purpose that errors name.
func (p *Programs) attachTracing(purpose string, tracepoints map[string]string) (*Attachment, error) {
	a := &Attachment{}
	for program, tracepoint := range tracepoints {
		prog, err := p.load(program, tracepoint, nil)
		if err != nil {
			a.Detach()
			return nil, explainLoad(&probe.Probe{Name: purpose, Event: purpose}, err)
		}
		l, err := link.AttachTracing(link.TracingOptions{Program: prog, AttachType: ebpf.AttachTraceRawTp})
		prog.Close()
		if err != nil {
			a.Detach()
			return nil, explainAttach(&probe.Probe{Name: purpose, Event: purpose}, err)
		}
		a.Links = append(a.Links, l)
	}
	return a, nil
}
