package probe

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cilium/ebpf/btf"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/locate"
	"trapline/capture/program"
	"trapline/capture/tracefs"
	"trapline/capture/value"
	"trapline/internal/symbol"
)

// Options say where a [Resolver] looks.
type Options struct {
	TraceFS string           // where tracefs is mounted; "" nowhere
	Symbols *symbol.Kallsyms // nil: not readable; names of kernel functions are then not checked
	BTF     *btf.Spec        // of the kernel; nil: it has none
	PID     int              // process in whose files and mappings programs are looked up first; 0 none
	// MaxProbes is how many probes one event may stand for; 0: DefaultMaxProbes.
	MaxProbes int
	// Inlined: functions of programs are probed where they are inlined, too.
	Inlined bool
	Root    string // stands in front of every other path that is read; "" for this machine's own
}

// A Resolver finds the attach points of events. It reads what it needs once and
// keeps it; it is not for concurrent use.
type Resolver struct {
	opt Options

	kernel   value.Kernel
	tracefs  tracefs.Dir
	files    *locate.Finder
	programs map[string]*program.File // by the path that is opened

	functions func() *kernelFunctions // nil: not known
	traceable func() *traceable       // nil: not known
	blacklist func() map[string]bool
	btfNames  func() *btfNames
	// tracepointNames has the groups of tracepoints by name; nil: not known.
	tracepointNames func() map[string][]string
	modules         map[string]*btf.Spec // nil entries: no BTF
}

// NewResolver returns a Resolver. It reads nothing yet.
func NewResolver(opt Options) *Resolver {
	r := &Resolver{opt: opt, tracefs: tracefs.Dir(opt.TraceFS), files: locate.New(opt.Root, opt.PID),
		modules: make(map[string]*btf.Spec), programs: make(map[string]*program.File)}
	r.kernel = value.Kernel{Types: opt.BTF, Module: r.moduleTypes, Symbol: r.symbolAddress, SystemCall: r.systemCallArguments}
	r.functions = sync.OnceValue(r.indexFunctions)
	r.traceable = sync.OnceValue(r.readTraceable)
	r.blacklist = sync.OnceValue(r.readBlacklist)
	r.tracepointNames = sync.OnceValue(r.readTracepointNames)
	r.btfNames = sync.OnceValue(r.readBTFNames)
	return r
}

// Resolve returns the attach points of an event, by name. Its errors are of the types
// [event.NotFoundError], [event.InvalidError], [event.UnsupportedError] and
// [event.PermissionError], of type [expr.Error] for its conditions, or failures to read
// a file.
func (r *Resolver) Resolve(ev event.Event) ([]Probe, error) {
	if d := ev.Modifiers.MinDuration; d > 0 {
		ev.Conditions = slices.Clone(ev.Conditions)
		if err := ev.Require(fmt.Sprintf("duration >= %dns", d.Nanoseconds())); err != nil {
			return nil, err
		}
	}
	probes, err := r.resolve(&ev)
	if err != nil {
		return nil, err
	}
	for i := range probes {
		if err := probes[i].finish(&ev); err != nil {
			return nil, err
		}
	}
	if ev.Alias != "" && len(probes) > 0 {
		if len(probes) > 1 {
			return nil, &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("%d probes match, and the name %s= is for one", len(probes), ev.Alias)}
		}
		probes[0].Name = ev.Alias
	}
	return probes, nil
}

// finish lays out a probe's record, and takes the filter and the limits from its event.
func (p *Probe) finish(ev *event.Event) (err error) {
	p.Event = ev.Text
	if err := p.layOut(); err != nil {
		return &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
	p.limit(ev.Modifiers)
	p.Filter, err = p.NewFilter(p.Name, ev.Conditions)
	return err
}

func (p *Probe) layOut() error {
	var sites [][]layout.Fetch
	for _, s := range p.Places() {
		sites = append(sites, s.Fetch)
	}
	return p.Record.LayOut(sites...)
}

func (r *Resolver) resolve(ev *event.Event) ([]Probe, error) {
	if made := asTracepoint(ev); made != nil && r.tracefs.Has(made.System, made.Name) {
		ev = made
	}
	if len(ev.Args) > bpf.MaxFetches {
		return nil, &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("at most %d arguments can be recorded", bpf.MaxFetches)}
	}
	k := KindOf(ev.Syntax.Kind)
	if k == nil {
		return nil, &event.InvalidError{Event: ev.Text, Reason: "events of kind " + ev.Syntax.Name() + " cannot be probed"}
	}
	return k.Resolve(r, ev)
}

func one(p *Probe, err error) ([]Probe, error) {
	if err != nil {
		return nil, err
	}
	return []Probe{*p}, nil
}

// havePMU reports whether the kernel has one of the PMUs kprobe and uprobe, which
// programs are attached through. They are there since 4.17 unless the kernel was
// built without.
func (r *Resolver) havePMU(name string) bool {
	devices := r.path("/sys/bus/event_source/devices")
	if _, err := os.Stat(devices); err != nil {
		return true // not known: attaching will tell
	}
	_, err := os.Stat(filepath.Join(devices, name))
	return !errors.Is(err, fs.ErrNotExist)
}

// path returns where a file of the machine is read.
func (r *Resolver) path(name string) string {
	if r.opt.Root == "" {
		return name
	}
	return filepath.Join(r.opt.Root, name)
}

// readLines calls yield with each line of a file until it returns false.
func readLines(name string, yield func(line string) bool) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		if !yield(s.Text()) {
			return nil
		}
	}
	return s.Err()
}
