package probe

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"

	"trapline/capture/tracefs"
	"trapline/internal/symbol"
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

// indexFunctions returns nil when the symbols are hidden.
func indexFunctions(symbols *symbol.Kallsyms) *kernelFunctions {
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

// btfNames are the names that BTF knows, sorted.
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

// eachType calls yield with all types that decode.
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

// The kernel describes each tracepoint by a typedef of its callbacks' type:
// __DECLARE_TRACE_COMMON and __BPF_DECLARE_TRACE in include/trace/bpf_probe.h.
const rawTracepointPrefix = "btf_trace_"

func rawTracepointName(t btf.Type) (string, bool) {
	if d, ok := t.(*btf.Typedef); ok {
		return strings.CutPrefix(d.Name, rawTracepointPrefix)
	}
	return "", false
}

// readTracepointNames returns the groups of all tracepoints by their names.
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

// A kernelSymbol is a function or variable of the kernel.
type kernelSymbol struct {
	address   uint64 // 0: hidden
	ambiguous bool   // several have its name
}

// readSymbols reads a file in the form of /proc/kallsyms.
func readSymbols(file string) (map[string]kernelSymbol, error) {
	symbols := make(map[string]kernelSymbol)
	err := readLines(file, func(line string) bool {
		digits, rest, _ := strings.Cut(line, " ")
		_, name, ok := strings.Cut(rest, " ") // behind the type
		if !ok {
			return true
		}
		name, _, _ = strings.Cut(name, "\t") // before the module
		_, known := symbols[name]
		address, _ := strconv.ParseUint(digits, 16, 64)
		symbols[strings.Clone(name)] = kernelSymbol{address, known}
		return true
	})
	return symbols, err
}
