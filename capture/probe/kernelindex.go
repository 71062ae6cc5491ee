package probe

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"

	"trapline/capture/tracefs"
	"trapline/internal/kallsyms"
)

// kernelFunctions indexes the functions of the kernel.
type kernelFunctions struct {
	byName    map[string][]kernelFunction
	addresses []uint64 // of all functions, in ascending order
}

type kernelFunction struct {
	module  string // "" for the core kernel
	address uint64
}

// indexFunctions returns nil if the symbols are hidden.
func indexFunctions(symbols *kallsyms.Symbols) *kernelFunctions {
	if symbols == nil {
		return nil
	}
	k := &kernelFunctions{byName: make(map[string][]kernelFunction)}
	symbols.Functions(func(name, module string, address uint64) bool {
		k.byName[name] = append(k.byName[name], kernelFunction{module, address})
		k.addresses = append(k.addresses, address)
		return true
	})
	return k
}

// size returns the distance in bytes from a function to the next one, or 0 for the last.
func (k *kernelFunctions) size(address uint64) uint64 {
	i, _ := slices.BinarySearch(k.addresses, address+1)
	if i == len(k.addresses) {
		return 0
	}
	return k.addresses[i] - address
}

// names returns, sorted, the names that belong to this function alone.
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

// traceable holds the functions that ftrace can patch, which fentry and fexit require.
// The kernel lists only one name for each address.
type traceable struct {
	names     map[string]bool
	addresses map[uint64]bool
}

// has reports whether a function can be traced. It returns true if the kernel has no
// list.
func (t *traceable) has(name string, address uint64) bool {
	return t == nil || t.names[name] || t.addresses[address]
}

// readTraceable returns nil if the kernel does not list the functions that can be traced.
func readTraceable(dir string, k *kernelFunctions) *traceable {
	if dir == "" {
		return nil
	}
	t := &traceable{names: make(map[string]bool), addresses: make(map[uint64]bool)}
	err := readLines(filepath.Join(dir, "available_filter_functions"), func(line string) bool {
		name, _, _ := strings.Cut(line, " ") // "ext4_sync_file [ext4]"
		t.names[name] = true
		if k == nil {
			return true
		}
		// If several functions have the name, any of them may be meant.
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

// readBlacklist returns the functions in which the kernel refuses kprobes, or nil if the
// kernel does not list them.
func readBlacklist(file string) map[string]bool {
	names := make(map[string]bool)
	err := readLines(file, func(line string) bool {
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

// btfNames are names in the kernel's BTF, sorted.
type btfNames struct {
	rawTracepoints []string
	functions      []string
}

func readBTFNames(types *btf.Spec) *btfNames {
	n := new(btfNames)
	eachType(types, func(t btf.Type) {
		if f, ok := t.(*btf.Func); ok {
			n.functions = append(n.functions, f.Name)
		} else if name, ok := rawTracepointName(t); ok {
			n.rawTracepoints = append(n.rawTracepoints, name)
		}
	})
	for _, list := range []*[]string{&n.rawTracepoints, &n.functions} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return n
}

// eachType calls yield for all types that can be decoded.
func eachType(types *btf.Spec, yield func(btf.Type)) {
	if types == nil {
		return
	}
	for t, err := range types.All() {
		if err != nil {
			return
		}
		yield(t)
	}
}

// The kernel describes each tracepoint by a typedef for the type of its callbacks:
// __DECLARE_TRACE_COMMON and __BPF_DECLARE_TRACE in include/trace/bpf_probe.h.
const rawTracepointPrefix = "btf_trace_"

func rawTracepointName(t btf.Type) (string, bool) {
	if d, ok := t.(*btf.Typedef); ok {
		return strings.CutPrefix(d.Name, rawTracepointPrefix)
	}
	return "", false
}

// readTracepointNames maps the names of tracepoints to their groups.
func readTracepointNames(dir tracefs.Dir) map[string][]string {
	systems := make(map[string][]string)
	err := dir.Each(tracefs.All, tracefs.All, func(system, name string) error {
		systems[name] = append(systems[name], system)
		return nil
	})
	if err != nil {
		return nil
	}
	return systems
}

// readLines calls yield for each line of a file until yield returns false.
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
