package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/tracefs"
	"trapline/internal/nearest"
)

// kernelFunctions indexes the kernel's list of its functions.
type kernelFunctions struct {
	byName    map[string][]kernelFunction
	addresses []uint64 // of all functions, ascending
}

type kernelFunction struct {
	module  string // "" the core kernel
	address uint64
}

func (r *Resolver) indexFunctions() *kernelFunctions {
	if r.opt.Symbols == nil {
		return nil
	}
	k := &kernelFunctions{byName: make(map[string][]kernelFunction)}
	r.opt.Symbols.Functions(func(name, module string, address uint64) bool {
		k.byName[name] = append(k.byName[name], kernelFunction{module, address})
		k.addresses = append(k.addresses, address)
		return true
	})
	return k
}

// size returns how far it is from a function to the next one, in bytes; 0 when no
// other follows.
func (k *kernelFunctions) size(address uint64) uint64 {
	i, _ := slices.BinarySearch(k.addresses, address+1)
	if i == len(k.addresses) {
		return 0
	}
	return k.addresses[i] - address
}

// names returns the names, sorted, that only this function has.
func (k *kernelFunctions) names(f kernelFunction) []string {
	var names []string
	for name, functions := range k.byName {
		if len(functions) == 1 && functions[0] == f {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// find returns the one function that an event names.
func (r *Resolver) findKernelFunction(ev *event.Event) (kernelFunction, error) {
	k := r.functions()
	if k == nil {
		return kernelFunction{module: ev.Module}, nil // attaching will tell
	}
	all := k.byName[ev.Name]
	found := slices.DeleteFunc(slices.Clone(all), func(f kernelFunction) bool {
		return ev.Module != "" && ev.Module != f.module && (ev.Module != "vmlinux" || f.module != "")
	})
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return kernelFunction{}, &event.InvalidError{Event: ev.Text, Reason: ambiguous(found)}
	case len(all) > 0:
		return kernelFunction{}, &event.NotFoundError{Event: ev.Text, Reason: "no such function in module " + ev.Module,
			Nearest: modulesOf(ev.Name, all)}
	}
	e := &event.NotFoundError{Event: ev.Text, Reason: "no such function in the kernel"}
	near := nearest.To(ev.Name)
	moduleLoaded := ev.Module == "" || ev.Module == "vmlinux"
	for name, functions := range k.byName {
		for _, f := range functions {
			if ev.Module != "" && f.module == ev.Module {
				moduleLoaded = true
			}
			if ev.Module == "" || f.module == ev.Module {
				near.Add(name)
				break
			}
		}
	}
	e.Nearest = near.Names()
	if len(e.Nearest) == 0 {
		e.Reason += " (what is inlined everywhere has no address)"
	}
	if !moduleLoaded {
		e.Reason = "module " + ev.Module + " is not loaded"
	}
	return kernelFunction{}, e
}

func ambiguous(found []kernelFunction) string {
	modules := modulesOf("", found)
	if len(modules) > 1 {
		return "several functions have this name: write MODULE:FUNCTION, with one of " + strings.Join(modules, ", ")
	}
	return "several functions have this name, and the kernel cannot tell them apart"
}

// modulesOf spells the modules that functions are in, as vmlinux for the core, each
// before the function's name where that is given.
func modulesOf(name string, functions []kernelFunction) []string {
	var list []string
	for _, f := range functions {
		s := f.module
		switch {
		case s == "" && name == "":
			s = "vmlinux"
		case s == "":
			s = name
		case name != "":
			s += ":" + name
		}
		list = append(list, s)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// traceable holds the functions that ftrace can patch, which fentry and fexit need.
// The kernel lists one name of each; others at its address do as well.
type traceable struct {
	names     map[string]bool
	addresses map[uint64]bool
}

// has reports whether a function can be traced; yes, where the kernel does not say.
func (t *traceable) has(name string, address uint64) bool {
	return t == nil || t.names[name] || t.addresses[address]
}

// readTraceable returns nil when the kernel does not say.
func (r *Resolver) readTraceable() *traceable {
	if r.opt.TraceFS == "" {
		return nil
	}
	t := &traceable{names: make(map[string]bool), addresses: make(map[uint64]bool)}
	k := r.functions()
	err := readLines(filepath.Join(r.opt.TraceFS, "available_filter_functions"), func(line string) bool {
		name, _, _ := strings.Cut(line, " ") // "ext4_sync_file [ext4]"
		t.names[name] = true
		if k == nil {
			return true
		}
		// Of several functions of one name, nothing tells which is meant.
		if f := k.byName[name]; len(f) == 1 && f[0].address != 0 {
			t.addresses[f[0].address] = true
		}
		return true
	})
	if err != nil || len(t.names) == 0 {
		return nil
	}
	return t
}

// readBlacklist returns the functions that the kernel refuses kprobes in: nil when
// it does not say.
func (r *Resolver) readBlacklist() map[string]bool {
	names := make(map[string]bool)
	err := readLines(r.path("/sys/kernel/debug/kprobes/blacklist"), func(line string) bool {
		if _, name, ok := strings.Cut(line, "\t"); ok { // "0xffffffff81000000-0xffffffff81000010\tname"
			name, _, _ = strings.Cut(name, " ")
			names[name] = true
		}
		return true
	})
	if err != nil {
		return nil
	}
	return names
}

// kernelProbeName spells a probe of a kernel function.
func kernelProbeName(kind *event.Syntax, module, function string, offset uint64) string {
	name := kind.Name() + ":"
	if module != "" {
		name += module + ":"
	}
	name += function
	if offset > 0 {
		name += fmt.Sprintf("+0x%x", offset)
	}
	return name
}

// insteadOf spells the probe of another kind that hits at an event's function.
func insteadOf(ev *event.Event, module string) string {
	kind := KindOf(KindOf(ev.Syntax.Kind).Instead)
	return kernelProbeName(&kind.Syntax, module, ev.Name, 0)
}

// moduleTypes returns the types of a module; nil when there are none.
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

// symbolAddress finds a function or variable of the kernel or of a module.
func (r *Resolver) symbolAddress(name string) (uint64, error) {
	var found []string
	err := readLines(r.path("/proc/kallsyms"), func(line string) bool {
		fields := strings.Fields(line)
		if len(fields) >= 3 && fields[2] == name {
			found = append(found, fields[0])
		}
		return len(found) < 2
	})
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, errors.New("is no symbol of the kernel (variables are listed in /proc/kallsyms with CONFIG_KALLSYMS_ALL)")
	case len(found) > 1:
		return 0, errors.New("is the name of several symbols: give the address, as in @0xffffffff82000000")
	}
	address, err := strconv.ParseUint(found[0], 16, 64)
	if err != nil || address == 0 {
		return 0, errors.New("has an address that is hidden (kernel.kptr_restrict): run as root or with CAP_SYSLOG")
	}
	return address, nil
}

// systemCallArguments returns the arguments of a system call by the names of its
// tracepoint; nil: they are not known.
func (r *Resolver) systemCallArguments(name string) []layout.Field {
	record, err := r.tracefs.Record(tracefs.SystemCalls, "sys_enter_"+name)
	if err != nil || len(record.Fields) == 0 {
		return nil
	}
	return record.Fields[1:] // behind the number of the call
}
