package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/cilium/ebpf/btf"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/locate"
	"trapline/capture/program"
	"trapline/capture/tracefs"
	"trapline/capture/value"
	"trapline/internal/kallsyms"
)

// Options say where a [Resolver] looks and what it allows.
type Options struct {
	TraceFS string            // mount point of tracefs; "" means not mounted
	Symbols *kallsyms.Symbols // nil if hidden; function names are then not checked
	BTF     *btf.Spec         // of the kernel; nil if it has none
	PID     int               // look up programs in this process's files and mappings first; 0 means none
	// MaxProbes is the maximum number of probes per event; 0 means DefaultMaxProbes.
	MaxProbes int
	// Inlined also probes functions of programs where they are inlined.
	Inlined bool
	Root    string // prefix of all other paths; "" means the machine's own root
}

// A Resolver finds the probes of events. It reads each source only once. It is not safe
// for concurrent use.
type Resolver struct {
	opt Options

	kernel   value.Kernel
	tracefs  tracefs.Dir
	files    *locate.Finder
	programs map[string]*program.File // by File.Open

	functions func() *kernelFunctions // nil if not known
	traceable func() *traceable       // nil if not known
	blacklist func() map[string]bool
	btfNames  func() *btfNames
	// tracepointNames maps names of tracepoints to their groups; nil if not known.
	tracepointNames func() map[string][]string
	modules         map[string]*btf.Spec // a nil entry means no BTF
}

// NewResolver returns a Resolver. It reads nothing.
func NewResolver(opt Options) *Resolver {
	r := &Resolver{opt: opt, tracefs: tracefs.Dir(opt.TraceFS), files: locate.New(opt.Root, opt.PID),
		modules: make(map[string]*btf.Spec), programs: make(map[string]*program.File)}
	r.kernel = value.Kernel{Types: opt.BTF, Module: r.moduleTypes, Symbol: r.symbolAddress, SystemCall: r.systemCallArguments}
	r.functions = sync.OnceValue(func() *kernelFunctions { return indexFunctions(opt.Symbols) })
	r.traceable = sync.OnceValue(func() *traceable { return readTraceable(opt.TraceFS, r.functions()) })
	r.blacklist = sync.OnceValue(func() map[string]bool { return readBlacklist(r.path("/sys/kernel/debug/kprobes/blacklist")) })
	r.tracepointNames = sync.OnceValue(func() map[string][]string { return readTracepointNames(r.tracefs) })
	r.btfNames = sync.OnceValue(func() *btfNames { return readBTFNames(opt.BTF) })
	return r
}

// Close closes the programs that the Resolver indexed. It must not be used afterwards.
func (r *Resolver) Close() error {
	var errs []error
	for _, f := range r.programs {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// havePMU reports whether the kernel has the PMU kprobe or uprobe, through which programs
// are attached. They exist since Linux 4.17, unless the kernel was built without.
func (r *Resolver) havePMU(name string) bool {
	devices := r.path("/sys/bus/event_source/devices")
	if _, err := os.Stat(devices); err != nil {
		return true // unknown: attaching will report it
	}
	_, err := os.Stat(filepath.Join(devices, name))
	return !errors.Is(err, fs.ErrNotExist)
}

// path returns the path of a file of the machine, under the root.
func (r *Resolver) path(name string) string {
	if r.opt.Root == "" {
		return name
	}
	return filepath.Join(r.opt.Root, name)
}

// moduleTypes returns the types of a module, or nil.
func (r *Resolver) moduleTypes(module string) *btf.Spec {
	if spec, known := r.modules[module]; known {
		return spec
	}
	r.modules[module] = nil
	f, err := os.Open(r.path("/sys/kernel/btf/" + module)) // 5.11
	if err != nil {
		return nil
	}
	defer f.Close()
	if spec, err := btf.LoadSplitSpecFromReader(f, r.opt.BTF); err == nil {
		r.modules[module] = spec
	}
	return r.modules[module]
}

// symbolAddress returns the address of a function or variable of the kernel or a module.
func (r *Resolver) symbolAddress(name string) (uint64, error) {
	if r.opt.Symbols == nil {
		return 0, errors.New("has an address that is hidden (kernel.kptr_restrict): run as root or with CAP_SYSLOG")
	}
	addresses := r.opt.Symbols.Addresses(name)
	switch len(addresses) {
	case 0:
		return 0, errors.New("is not a symbol of the kernel (variables are listed in /proc/kallsyms with CONFIG_KALLSYMS_ALL)")
	case 1:
		return addresses[0], nil
	}
	return 0, errors.New("is the name of several symbols: give the address, as in @0xffffffff82000000")
}

// systemCallArguments returns the arguments of a system call as its tracepoint names
// them, or nil if not known.
func (r *Resolver) systemCallArguments(name string) []layout.Field {
	record, err := r.tracefs.Record(tracefs.SystemCalls, "sys_enter_"+name)
	if err != nil || len(record.Fields) == 0 {
		return nil
	}
	return record.Fields[1:] // the first field is the number of the call
}

// checkCount rejects a pattern that matches too many probes.
func (r *Resolver) checkCount(ev *event.Event, n int) error {
	most := r.opt.MaxProbes
	if most == 0 {
		most = DefaultMaxProbes
	}
	if n > most {
		return &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("%d probes match, and at most %d are allowed: narrow the pattern, or set --max-probes", n, most)}
	}
	return nil
}

// DefaultMaxProbes is the default maximum number of probes per event, the same as
// bpftrace's.
const DefaultMaxProbes = 1024
