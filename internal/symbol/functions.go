package symbol

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"
)

// A functionTable is the joined symbol tables of an image.
type functionTable struct {
	symbols  []symbol  // by address, then best name first
	segments []segment // owners are indices of symbols
}

// readFunctions joins the symbol tables of the image and of its debug file or mini debug info.
func (e *ELF) readFunctions() (t *functionTable) {
	t = new(functionTable)
	var err error
	defer func() {
		if err != nil {
			t = new(functionTable)
		}
	}()
	defer guard("reading symbol tables", &err)

	syms := e.codeSymbols(elf.SHT_SYMTAB)
	for _, find := range []func() *object{e.debug, e.mini} {
		if len(syms) > 0 {
			break
		}
		if o := find(); o != nil {
			syms = o.codeSymbols(elf.SHT_SYMTAB)
		}
	}
	syms = append(syms, e.codeSymbols(elf.SHT_DYNSYM)...)
	syms = append(syms, e.pltSymbols()...)
	if goTable := e.goTable(); goTable != nil {
		syms = append(syms, goTable.symbols(syms)...)
	} else {
		for i := range syms {
			// The static linker keeps versions in the names: memcpy@@GLIBC_2.14.
			if name, version, ok := strings.Cut(syms[i].name, "@"); ok && version != "plt" && name != "" {
				syms[i].name = name
			}
		}
	}
	syms = slices.DeleteFunc(syms, func(s symbol) bool { return !e.executable(s.addr) })
	slices.SortStableFunc(syms, func(a, b symbol) int {
		return cmp.Or(cmp.Compare(a.addr, b.addr), better(&a, &b))
	})
	syms = slices.CompactFunc(syms, func(a, b symbol) bool { return a.addr == b.addr && a.name == b.name })
	t.symbols = slices.Clip(syms)
	t.setSizes(e)
	t.segments = flatten(t.spans())
	addSlice(e.memory, t.symbols)
	addSlice(e.memory, t.segments)
	return t
}

// better orders symbols of one address: negative when a is the name to show. The
// rules are those of perf (choose_best_symbol in tools/perf/util/symbol.c).
func better(a, b *symbol) int {
	first := func(a, b bool) int {
		switch {
		case a && !b:
			return -1
		case b && !a:
			return 1
		}
		return 0
	}
	return cmp.Or(
		first(a.size > 0, b.size > 0),
		first(a.bind != elf.STB_WEAK, b.bind != elf.STB_WEAK),
		first(a.bind == elf.STB_GLOBAL, b.bind == elf.STB_GLOBAL),
		cmp.Compare(underscores(a.name), underscores(b.name)),
		cmp.Compare(len(b.name), len(a.name)),
		cmp.Compare(a.name, b.name))
}

func underscores(name string) int {
	return len(name) - len(strings.TrimLeft(name, "_"))
}

// setSizes lets symbols without a size reach to the next symbol, and none past
// the end of its section.
func (t *functionTable) setSizes(e *ELF) {
	next := ^uint64(0)
	for i := len(t.symbols) - 1; i >= 0; i-- {
		s := &t.symbols[i]
		if i+1 < len(t.symbols) && t.symbols[i+1].addr > s.addr {
			next = t.symbols[i+1].addr
		}
		limit := s.limit
		if limit == 0 {
			limit = e.segmentEnd(s.addr)
		}
		if s.size == 0 {
			limit = min(limit, next)
			s.label = true
		}
		if room := limit - s.addr; s.size == 0 || s.size > room {
			s.size = room
		}
	}
}

// segmentEnd returns where the segment around an address ends.
func (e *ELF) segmentEnd(addr uint64) uint64 {
	for _, p := range e.loads {
		if addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			return p.Vaddr + p.Filesz
		}
	}
	return addr
}

// spans returns the range of the best symbol of every address. A symbol whose
// size was only guessed gives way to the sized one around it.
func (t *functionTable) spans() []span {
	spans := make([]span, 0, len(t.symbols))
	var last, sizedEnd uint64
	for i, s := range t.symbols {
		if i > 0 && s.addr == last {
			continue
		}
		last = s.addr
		if s.label && s.addr < sizedEnd {
			continue
		}
		end := s.addr + s.size
		if !s.label {
			sizedEnd = max(sizedEnd, end)
		}
		spans = append(spans, span{low: s.addr, high: end, owner: int32(i)})
	}
	return spans
}

// find returns the symbol to show for an address, or nil.
func (t *functionTable) find(addr uint64) *symbol {
	if i := owner(t.segments, addr); i >= 0 {
		return &t.symbols[i]
	}
	return nil
}

func (t *functionTable) list(e *ELF) []Function {
	fns := make([]Function, 0, len(t.symbols))
	for _, s := range t.symbols {
		off, ok := e.FileOffset(s.addr)
		if !ok || s.hidden {
			continue
		}
		fns = append(fns, Function{
			Name: s.name, Address: s.addr, Offset: off, Size: s.size,
			Global: s.bind != elf.STB_LOCAL,
		})
	}
	return fns
}
