package symbol

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// ErrHidden is returned when the kernel shows no addresses to this process.
var ErrHidden = errors.New("kernel symbol addresses are hidden (kernel.kptr_restrict): run as root or with CAP_SYSLOG")

// maxKallsyms bounds the text that is read, in bytes; it is 10 MB on a large system.
const maxKallsyms = 512 << 20

// Kallsyms is the kernel's list of its own functions, those of modules and BPF
// programs included. It may be used concurrently.
type Kallsyms struct {
	symbols []kernelSymbol // text symbols by address; aliases: best name first
	modules []kernelModule
	text    uint64            // address of _text
	bounds  map[string]uint64 // of sections: __start_NAME and __stop_NAME
	byName  func() map[string][]uint64
}

// A kernelSymbol's module indexes Kallsyms.modules: 0 is the core kernel.
type kernelSymbol struct {
	addr   uint64
	name   string
	module uint16
	kind   byte // as in /proc/kallsyms: T global, t local, W and w weak
}

type kernelModule struct {
	name string // "" core, "bpf" BPF programs
	base uint64 // lowest text symbol
}

// ReadKallsyms reads text in the form of /proc/kallsyms. It returns [ErrHidden] when
// all addresses are 0.
func ReadKallsyms(r io.Reader) (*Kallsyms, error) {
	var text strings.Builder
	n, err := io.Copy(&text, io.LimitReader(r, maxKallsyms+1))
	if err != nil {
		return nil, fmt.Errorf("reading kernel symbols: %w", err)
	}
	if n > maxKallsyms {
		return nil, fmt.Errorf("reading kernel symbols: more than %d bytes", int64(maxKallsyms))
	}
	k := &Kallsyms{modules: make([]kernelModule, 1), bounds: make(map[string]uint64)}
	if err := k.parse(text.String()); err != nil {
		return nil, err
	}
	k.byName = sync.OnceValue(k.indexNames)
	return k, nil
}

func (k *Kallsyms) parse(text string) error {
	k.symbols = make([]kernelSymbol, 0, len(text)/40)
	indexes := map[string]uint16{"": 0}
	lines, seen, sorted := 0, false, true
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		lines++
		addr, kind, name, module, ok := parseKallsyms(line)
		if !ok {
			if line == "" {
				continue
			}
			return fmt.Errorf("reading kernel symbols: line %d is not \"address type name\": %.80q", lines, line)
		}
		seen = seen || addr != 0
		if module == "" && (strings.HasPrefix(name, "__start_") || strings.HasPrefix(name, "__stop_")) {
			k.bounds[name] = addr
		}
		if addr == 0 || (kind|0x20 != 't' && kind|0x20 != 'w') {
			continue
		}
		index, known := indexes[module]
		if !known {
			if len(k.modules) > 0xffff {
				return errors.New("reading kernel symbols: more than 65535 modules")
			}
			index = uint16(len(k.modules))
			indexes[module] = index
			k.modules = append(k.modules, kernelModule{name: module})
		}
		if m := &k.modules[index]; m.base == 0 || addr < m.base {
			m.base = addr
		}
		if index == 0 && name == "_text" {
			k.text = addr
		}
		if n := len(k.symbols); n > 0 && k.symbols[n-1].addr >= addr {
			sorted = false
		}
		k.symbols = append(k.symbols, kernelSymbol{addr, name, index, kind})
	}
	if !seen && lines > 0 {
		return ErrHidden
	}
	if !sorted {
		slices.SortFunc(k.symbols, func(a, b kernelSymbol) int {
			return cmp.Or(cmp.Compare(a.addr, b.addr), betterKernel(&a, &b))
		})
	}
	if k.text == 0 {
		k.text = k.modules[0].base
	}
	return nil
}

// parseKallsyms splits a line: "ffffffffc0a01000 t ext4_map_blocks\t[ext4]".
func parseKallsyms(line string) (addr uint64, kind byte, name, module string, ok bool) {
	i := 0
digits:
	for ; i < len(line) && i < 17; i++ {
		c := line[i]
		switch {
		case c >= '0' && c <= '9':
			addr = addr<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			addr = addr<<4 | uint64(c-'a'+10)
		default:
			break digits
		}
	}
	if i == 0 || i > 16 || len(line) < i+4 || line[i] != ' ' || line[i+2] != ' ' {
		return 0, 0, "", "", false
	}
	kind, name = line[i+1], line[i+3:]
	if name[len(name)-1] == ']' {
		if tab := strings.LastIndexByte(name, '\t'); tab > 0 && tab+2 < len(name) && name[tab+1] == '[' {
			name, module = name[:tab], name[tab+2:len(name)-1]
		}
	}
	return addr, kind, name, module, true
}

// betterKernel orders symbols of one address as [better] does.
func betterKernel(a, b *kernelSymbol) int {
	rank := func(s *kernelSymbol) int {
		switch s.kind {
		case 'T':
			return 0
		case 't':
			return 1
		}
		return 2
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)),
		cmp.Compare(underscores(a.name), underscores(b.name)),
		cmp.Compare(len(b.name), len(a.name)),
		cmp.Compare(a.name, b.name))
}

func (k *Kallsyms) indexNames() map[string][]uint64 {
	names := make(map[string][]uint64, len(k.symbols))
	for _, s := range k.symbols {
		names[s.name] = append(names[s.name], s.addr)
	}
	return names
}

// Lookup returns the addresses of all functions of a name, ascending. Static
// functions often share one.
func (k *Kallsyms) Lookup(name string) []uint64 {
	return slices.Clone(k.byName()[name])
}

// A KernelSection is where a section of the core kernel lies.
type KernelSection struct{ Start, Stop uint64 }

// Section returns where the section lies whose bounds the kernel calls __start_NAME and
// __stop_NAME. Kernels list those that hold data only with CONFIG_KALLSYMS_ALL.
func (k *Kallsyms) Section(name string) (KernelSection, bool) {
	s := KernelSection{k.bounds["__start_"+name], k.bounds["__stop_"+name]}
	return s, s.Start != 0 && s.Stop >= s.Start
}

// Functions calls yield with every function of the kernel and its modules, by
// ascending address, until it returns false. The module is "" for the core. BPF
// programs are left out.
func (k *Kallsyms) Functions(yield func(name, module string, addr uint64) bool) {
	for _, s := range k.symbols {
		module := k.modules[s.module].name
		if module != bpfModule && !yield(s.name, module, s.addr) {
			return
		}
	}
}
