package kallsyms

import "sort"

// An Image is the kind of image that contains kernel code.
type Image uint8

const (
	Core Image = iota
	Module
	BPF
)

// An Address is a kernel code address independent of where the kernel, the
// module or the program was loaded.
type Address struct {
	Image        Image
	Name         string // of the module, or the BPF program's symbol (bpf_prog_TAG_NAME); "" for the core
	Offset       uint64 // bytes from _text, from the module's lowest text symbol, or from the program's start
	Symbol       string
	SymbolOffset uint64 // bytes from Symbol
}

const (
	// kallsyms has no sizes. A symbol extends to the next one. The last symbol of an image
	// extends to the end of the following page, as in perf. A BPF program has only one
	// symbol; maxBPF is more than the size of most programs.
	kernelPage = 4096
	maxBPF     = 128 << 10
)

// Resolve names a kernel code address. It returns false for addresses outside all images.
func (k *Symbols) Resolve(addr uint64) (Address, bool) {
	i := sort.Search(len(k.functions), func(i int) bool { return k.functions[i].addr > addr })
	if i == 0 {
		return Address{}, false
	}
	start := k.functions[i-1].addr
	first := i - 1
	for first > 0 && k.functions[first-1].addr == start {
		first--
	}
	s := &k.functions[first]
	owner := &k.modules[s.module]
	bpf := owner.name == bpfModule
	if i == len(k.functions) || k.functions[i].module != s.module || bpf {
		end := (start+kernelPage-1)&^(kernelPage-1) + kernelPage
		if bpf {
			end = start + maxBPF
		}
		if addr >= end {
			return Address{}, false
		}
	}
	a := Address{Symbol: s.name, SymbolOffset: addr - start}
	switch {
	case bpf:
		a.Image, a.Name, a.Offset = BPF, s.name, addr-start
	case s.module != 0:
		a.Image, a.Name, a.Offset = Module, owner.name, addr-owner.base
	case addr < k.text:
		return Address{}, false
	default:
		a.Offset = addr - k.text
	}
	return a, true
}
