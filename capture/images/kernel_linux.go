package images

import (
	"os"
	"strings"
	"time"

	"trapline/format"
	"trapline/internal/kallsyms"
	"trapline/internal/symbol"
)

// Kernel locates and names kernel addresses by /proc/kallsyms.
type Kernel struct {
	symbols   *kallsyms.Symbols // nil if hidden
	reread    func() (*kallsyms.Symbols, error)
	read      time.Time
	age       time.Duration // after which they are read again
	now       func() time.Time
	images    map[kernelImage]*Image
	locations map[uint64]Location // by address
	addresses map[Location]uint64
}

type kernelImage struct {
	kind format.ImageKind
	name string
}

// Limits on the age after which an address without a symbol makes Kernel read the symbols
// again: a module or BPF program may have been loaded. Reading takes about 50 ms, so the
// age doubles each time that it does not help.
const (
	minKallsymsAge = time.Second
	maxKallsymsAge = time.Minute
)

// NewKernel returns a Kernel with symbols that were just read, or nil if they are hidden,
// and a function that reads them again.
func NewKernel(symbols *kallsyms.Symbols, reread func() (*kallsyms.Symbols, error)) *Kernel {
	return &Kernel{symbols: symbols, reread: reread, read: time.Now(), now: time.Now, age: minKallsymsAge, images: make(map[kernelImage]*Image),
		locations: make(map[uint64]Location), addresses: make(map[Location]uint64)}
}

// Find returns the location of a kernel address.
func (k *Kernel) Find(address uint64) Location {
	if l, ok := k.locations[address]; ok {
		return l
	}
	a, ok := k.resolve(address)
	if !ok {
		return Location{nil, address}
	}
	key := kernelImage{format.ImageKernel, "[kernel.kallsyms]"}
	switch a.Image {
	case kallsyms.Module:
		key = kernelImage{format.ImageModule, "[" + a.Name + "]"}
	case kallsyms.BPF:
		key = kernelImage{format.ImageBPF, a.Name}
	}
	if k.images[key] == nil {
		k.images[key] = &Image{Kind: key.kind, Path: key.name, BuildID: kernelBuildID(key)}
	}
	l := Location{k.images[key], a.Offset}
	k.locations[address] = l
	k.addresses[l] = address
	return l
}

func (k *Kernel) resolve(address uint64) (kallsyms.Address, bool) {
	if k.symbols == nil || address>>63 == 0 { // no symbols, or not a kernel address
		return kallsyms.Address{}, false
	}
	a, ok := k.symbols.Resolve(address)
	if ok || k.now().Sub(k.read) <= k.age {
		return a, ok
	}
	k.read = k.now()
	if s, err := k.reread(); err == nil {
		k.symbols = s
		a, ok = s.Resolve(address)
	}
	if k.age = min(2*k.age, maxKallsymsAge); ok {
		k.age = minKallsymsAge
	}
	return a, ok
}

// IsEntry reports whether a frame lies between a hook and its BPF program. Such frames do
// not belong to the caller's stack.
func (k *Kernel) IsEntry(l Location) bool {
	if l.Image == nil {
		return false
	}
	if l.Image.Kind == format.ImageBPF {
		return true
	}
	name := k.Name(l, 0).Function
	for _, prefix := range []string{"bpf_trace_run", "__bpf_trace_", "__traceiter_", "bpf_get_stack", "trace_call_bpf",
		"perf_trace_", "__bpf_prog_", "bpf_trampoline_", "ftrace_trampoline"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// Name returns the symbol back bytes before a kernel location.
func (k *Kernel) Name(l Location, back uint64) symbol.Call {
	address, ok := k.addresses[l]
	if !ok {
		return symbol.Call{}
	}
	a, ok := k.symbols.Resolve(address - back)
	if !ok {
		return symbol.Call{}
	}
	return symbol.Call{Function: a.Symbol, Offset: a.SymbolOffset + back}
}

// kernelBuildID reads the build ID note that the kernel exports for itself and for its
// modules.
func kernelBuildID(key kernelImage) []byte {
	path := "/sys/kernel/notes"
	if key.kind == format.ImageModule {
		path = "/sys/module/" + strings.Trim(key.name, "[]") + "/notes/.note.gnu.build-id"
	} else if key.kind != format.ImageKernel {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return symbol.NoteBuildID(b)
}
