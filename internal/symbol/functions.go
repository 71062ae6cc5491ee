package symbol

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"

	"trapline/internal/addrmap"
	"trapline/internal/meter"
)

// readFunctions combines the symbol tables of the image and its debug file or mini debug
// info.
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
			// The static linker keeps versions in names: memcpy@@GLIBC_2.14.
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
	t.setSizes(e.segmentEnd)
	t.segments = addrmap.New(t.spans())
	meter.AddSlice(e.memory, t.symbols)
	meter.AddSlice(e.memory, t.segments)
	return t
}

// Functions returns the functions in .symtab, .dynsym, Go's table and the separate debug
// file, including aliases, by ascending address. It skips damaged tables.
func (e *ELF) Functions() (fns []Function, err error) {
	defer guard("listing functions", &err)
	return e.list(e.functions()), nil
}

func (e *ELF) list(t *functionTable) []Function {
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
