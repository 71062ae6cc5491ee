package probe

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/cilium/ebpf/btf"

	"trapline/bpf"
	"trapline/format"
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

	libraries func() []library
	functions func() *kernelFunctions // nil: not known
	traceable func() *traceable       // nil: not known
	blacklist func() map[string]bool
	btfNames  func() *btfNames
	// tracepointNames has the groups of tracepoints by name; nil: not known.
	tracepointNames func() map[string][]string
	modules         map[string]*btf.Spec   // nil entries: no BTF
	binaries        map[string]*binaryFile // by the path that is opened
}

// NewResolver returns a Resolver. It reads nothing yet.
func NewResolver(opt Options) *Resolver {
	r := &Resolver{opt: opt, modules: make(map[string]*btf.Spec), binaries: make(map[string]*binaryFile)}
	r.libraries = sync.OnceValue(r.readLibraries)
	r.functions = sync.OnceValue(r.indexFunctions)
	r.traceable = sync.OnceValue(r.readTraceable)
	r.blacklist = sync.OnceValue(r.readBlacklist)
	r.tracepointNames = sync.OnceValue(r.readTracepointNames)
	r.btfNames = sync.OnceValue(r.readBTFNames)
	return r
}

// Resolve returns the attach points of an event, by name. Its errors are of the types
// [NotFoundError], [InvalidError], [UnsupportedError] and [PermissionError], or
// failures to read a file.
func (r *Resolver) Resolve(ev Event) ([]Probe, error) {
	probes, err := r.resolveAndFilter(&ev)
	if err != nil {
		return nil, err
	}
	if ev.Alias != "" {
		if len(probes) > 1 {
			return nil, &InvalidError{ev.Text, fmt.Sprintf("%d probes match, and the name %s= is for one", len(probes), ev.Alias)}
		}
		probes[0].Name = ev.Alias
	}
	for i := range probes {
		probes[i].Event = ev.Text
		probes[i].limit(ev.Modifiers)
	}
	return probes, nil
}

func (r *Resolver) resolve(ev *Event) ([]Probe, error) {
	if ev.Kind != format.ProbeTracepoint && r.madeByPerf(ev) {
		ev = ev.asTracepoint()
	}
	if len(ev.Args) > bpf.MaxFetches {
		return nil, &InvalidError{ev.Text, fmt.Sprintf("at most %d arguments can be recorded", bpf.MaxFetches)}
	}
	ev, err := r.byFunction(ev)
	if err != nil {
		return nil, err
	}
	if err := unsupported(ev); err != nil {
		return nil, err
	}
	k := KindOf(ev.Kind)
	if k == nil {
		return nil, &InvalidError{ev.Text, "events of kind " + ev.Kind.String() + " cannot be probed"}
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
