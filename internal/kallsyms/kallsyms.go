// Package kallsyms reads the kernel's list of its symbols, /proc/kallsyms, and names
// kernel addresses independently of where the kernel and its modules were loaded.
package kallsyms

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// ErrHidden reports that the kernel shows no addresses to this process.
var ErrHidden = errors.New("kernel symbol addresses are hidden (kernel.kptr_restrict): run as root or with CAP_SYSLOG")

// maxKallsyms is the maximum size of the list in bytes. Large systems have 10 MB.
const maxKallsyms = 512 << 20

// Symbols are the functions and variables of the kernel and its modules. BPF programs
// count as functions. All methods may be called concurrently.
type Symbols struct {
	functions []symbol // by address; aliases: best name first
	variables []symbol // in the order of the list
	modules   []module
	text      uint64            // address of _text
	bounds    map[string]uint64 // of sections: __start_NAME and __stop_NAME
	byName    func() map[string][]uint64
}

// A symbol's module indexes Symbols.modules: 0 is the core kernel.
type symbol struct {
	addr   uint64
	name   string
	module uint16
	kind   byte // as in /proc/kallsyms: T global, t local, W and w weak
}

// isFunction reports whether the symbol stands for code.
func (s *symbol) isFunction() bool { return s.kind|0x20 == 't' || s.kind|0x20 == 'w' }

type module struct {
	name string // "" core, bpfModule BPF programs
	base uint64 // lowest address of a function
}

// bpfModule is the module of BPF programs, trampolines and dispatchers in kallsyms.
const bpfModule = "bpf"

// Read reads symbols in the format of /proc/kallsyms. It returns [ErrHidden] if all addresses
// are 0.
func Read(r io.Reader) (*Symbols, error) {
	var text strings.Builder
	n, err := io.Copy(&text, io.LimitReader(r, maxKallsyms+1))
	if err != nil {
		return nil, fmt.Errorf("reading kernel symbols: %w", err)
	}
	if n > maxKallsyms {
		return nil, fmt.Errorf("reading kernel symbols: more than %d bytes", int64(maxKallsyms))
	}
	k := &Symbols{modules: make([]module, 1), bounds: make(map[string]uint64)}
	if err := k.parse(text.String()); err != nil {
		return nil, err
	}
	k.byName = sync.OnceValue(k.indexNames)
	return k, nil
}

func (k *Symbols) parse(text string) error {
	k.functions = make([]symbol, 0, len(text)/40)
	p := parser{Symbols: k, indexes: map[string]uint16{"": 0}}
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		if line == "" {
			continue
		}
		if err := p.line(number, line); err != nil {
			return fmt.Errorf("reading kernel symbols: %w", err)
		}
	}
	if p.lines > 0 && !p.shown {
		return ErrHidden
	}
	if p.disorder {
		slices.SortFunc(k.functions, func(a, b symbol) int {
			return cmp.Or(cmp.Compare(a.addr, b.addr), better(&a, &b))
		})
	}
	if k.text == 0 {
		k.text = k.modules[0].base
	}
	return nil
}

// A parser adds lines to symbols.
type parser struct {
	*Symbols
	indexes  map[string]uint16 // of modules by name
	lines    int
	shown    bool // an address is not 0
	disorder bool // the functions are not by ascending address
}

func (p *parser) line(number int, line string) error {
	s, owner, ok := parseLine(line)
	if !ok {
		return fmt.Errorf("line %d is not \"address type name\": %.80q", number, line)
	}
	p.lines++
	p.shown = p.shown || s.addr != 0
	if owner == "" && (strings.HasPrefix(s.name, "__start_") || strings.HasPrefix(s.name, "__stop_")) {
		p.bounds[s.name] = s.addr
	}
	switch {
	case s.addr == 0:
		return nil
	case !s.isFunction():
		p.variables = append(p.variables, s)
		return nil
	}
	index, known := p.indexes[owner]
	if !known {
		if len(p.modules) > 0xffff {
			return errors.New("more than 65535 modules")
		}
		index = uint16(len(p.modules))
		p.indexes[owner] = index
		p.modules = append(p.modules, module{name: owner})
	}
	s.module = index
	if m := &p.modules[index]; m.base == 0 || s.addr < m.base {
		m.base = s.addr
	}
	if index == 0 && s.name == "_text" {
		p.text = s.addr
	}
	if n := len(p.functions); n > 0 && p.functions[n-1].addr >= s.addr {
		p.disorder = true
	}
	p.functions = append(p.functions, s)
	return nil
}

// parseLine splits a line: "ffffffffc0a01000 t ext4_map_blocks\t[ext4]".
func parseLine(line string) (s symbol, owner string, ok bool) {
	i := 0
	addr := uint64(0)
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
		return s, "", false
	}
	name := line[i+3:]
	if name[len(name)-1] == ']' {
		if tab := strings.LastIndexByte(name, '\t'); tab > 0 && tab+2 < len(name) && name[tab+1] == '[' {
			name, owner = name[:tab], name[tab+2:len(name)-1]
		}
	}
	return symbol{addr: addr, name: name, kind: line[i+1]}, owner, true
}

// better compares symbols of one address as package symbol does.
func better(a, b *symbol) int {
	rank := func(s *symbol) int {
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

// underscores counts those at the start of a name.
func underscores(name string) int { return len(name) - len(strings.TrimLeft(name, "_")) }

func (k *Symbols) indexNames() map[string][]uint64 {
	names := make(map[string][]uint64, len(k.functions)+len(k.variables))
	for _, list := range [][]symbol{k.functions, k.variables} {
		for _, s := range list {
			names[s.name] = append(names[s.name], s.addr)
		}
	}
	return names
}

// Addresses returns the addresses of all functions and variables of a name. Static ones
// often share one. Kernels list variables only with CONFIG_KALLSYMS_ALL.
func (k *Symbols) Addresses(name string) []uint64 { return slices.Clone(k.byName()[name]) }

// A Section is the address range of a section of the core kernel.
type Section struct{ Start, Stop uint64 }

// Section returns the section between the symbols __start_NAME and __stop_NAME. Kernels list
// these symbols of data sections only with CONFIG_KALLSYMS_ALL.
func (k *Symbols) Section(name string) (Section, bool) {
	s := Section{k.bounds["__start_"+name], k.bounds["__stop_"+name]}
	return s, s.Start != 0 && s.Stop >= s.Start
}

// Functions calls yield for each function of the kernel and its modules, by ascending address,
// until yield returns false. The module is "" for the core kernel. BPF programs are omitted.
func (k *Symbols) Functions(yield func(name, module string, addr uint64) bool) {
	for _, s := range k.functions {
		owner := k.modules[s.module].name
		if owner != bpfModule && !yield(s.name, owner, s.addr) {
			return
		}
	}
}
