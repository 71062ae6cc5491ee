package capture

import (
	"os"
	"strings"
	"time"

	"trapline/capture/host"
	"trapline/format"
	"trapline/internal/symbol"
)

// kernelImages names kernel addresses from /proc/kallsyms.
type kernelImages struct {
	symbols   *symbol.Kallsyms
	read      time.Time
	images    map[kernelImage]*image
	locations map[uint64]location // by address
	addresses map[location]uint64
}

type kernelImage struct {
	kind format.ImageKind
	name string
}

// kallsymsAge is how old the symbols must be to be read again for an address
// without a name: a module or a program may have been loaded since.
const kallsymsAge = time.Second

func newKernelImages(k *symbol.Kallsyms) *kernelImages {
	return &kernelImages{symbols: k, read: time.Now(), images: make(map[kernelImage]*image),
		locations: make(map[uint64]location), addresses: make(map[location]uint64)}
}

// Kernel implements locator.
func (k *kernelImages) kernel(address uint64) location {
	if l, ok := k.locations[address]; ok {
		return l
	}
	a, ok := k.resolve(address)
	if !ok {
		return location{nil, address}
	}
	key := kernelImage{format.ImageKernel, "[kernel.kallsyms]"}
	switch a.Image {
	case symbol.KernelModule:
		key = kernelImage{format.ImageModule, "[" + a.Name + "]"}
	case symbol.KernelBPF:
		key = kernelImage{format.ImageBPF, a.Name}
	}
	if k.images[key] == nil {
		k.images[key] = &image{kind: key.kind, path: key.name, buildID: kernelBuildID(key)}
	}
	l := location{k.images[key], a.Offset}
	k.locations[address] = l
	k.addresses[l] = address
	return l
}

func (k *kernelImages) resolve(address uint64) (symbol.KernelAddress, bool) {
	if k.symbols == nil || address>>63 == 0 { // no names, or no address of the kernel's
		return symbol.KernelAddress{}, false
	}
	a, ok := k.symbols.Resolve(address)
	if !ok && time.Since(k.read) > kallsymsAge {
		k.read = time.Now()
		if s, err := host.ReadKallsyms(); err == nil {
			k.symbols = s
			a, ok = s.Resolve(address)
		}
	}
	return a, ok
}

// entry implements locator: frames of the way from a hook to its program.
func (k *kernelImages) entry(l location) bool {
	if l.image == nil {
		return false
	}
	if l.image.kind == format.ImageBPF {
		return true
	}
	name := k.name(l, 0).Function
	for _, prefix := range []string{"bpf_trace_run", "__bpf_trace_", "__traceiter_", "bpf_get_stack", "trace_call_bpf",
		"perf_trace_", "__bpf_prog_", "bpf_trampoline_", "ftrace_trampoline"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// name returns the symbol at a location of the kernel, back bytes before it.
func (k *kernelImages) name(l location, back uint64) symbol.Call {
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

// kernelBuildID reads the build ID note that the kernel shows for itself and its modules.
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
