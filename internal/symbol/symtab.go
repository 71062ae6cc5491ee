package symbol

import (
	"debug/elf"
	"encoding/binary"
	"strings"
)

// A symbol is a symbol table entry for code.
type symbol struct {
	name   string
	addr   uint64
	size   uint64
	limit  uint64 // end of the section or segment that holds it
	bind   elf.SymBind
	label  bool // assembler label without a type
	hidden bool // not offered as a function to probe
}

// codeSymbols reads the symbols for code from the object's first table of a kind, SHT_SYMTAB
// or SHT_DYNSYM.
func (o *object) codeSymbols(kind elf.SectionType) []symbol {
	var table *elf.Section
	for _, s := range o.file.Sections {
		if s.Type == kind {
			table = s
			break
		}
	}
	if table == nil || int(table.Link) >= len(o.file.Sections) {
		return nil
	}
	entries, err := o.contents(table)
	if err != nil {
		return nil
	}
	raw, err := o.contents(o.file.Sections[table.Link])
	if err != nil {
		return nil
	}
	names, order := string(raw), o.file.ByteOrder
	entrySize := elf.Sym64Size
	if o.file.Class == elf.ELFCLASS32 {
		entrySize = elf.Sym32Size
	}
	var syms []symbol
	for i := entrySize; i+entrySize <= len(entries); i += entrySize {
		if s, ok := o.codeSymbol(entries[i:i+entrySize], names, order); ok {
			syms = append(syms, s)
		}
	}
	o.memory.Add(len(names))
	return syms
}

// codeSymbol decodes a symbol table entry. Like perf, it accepts functions, indirect functions
// and labels in executable sections.
func (o *object) codeSymbol(b []byte, names string, order binary.ByteOrder) (symbol, bool) {
	var s symbol
	var info, other byte
	var index uint16
	nameOff := order.Uint32(b)
	if len(b) == elf.Sym64Size {
		info, other, index = b[4], b[5], order.Uint16(b[6:])
		s.addr, s.size = order.Uint64(b[8:]), order.Uint64(b[16:])
	} else {
		s.addr, s.size = uint64(order.Uint32(b[4:])), uint64(order.Uint32(b[8:]))
		info, other, index = b[12], b[13], order.Uint16(b[14:])
	}
	kind := elf.ST_TYPE(info)
	s.bind = elf.ST_BIND(info)
	s.label = kind == elf.STT_NOTYPE
	if kind != elf.STT_FUNC && kind != elf.STT_GNU_IFUNC && !s.label {
		return s, false
	}
	if index == uint16(elf.SHN_UNDEF) || elf.SectionIndex(index) == elf.SHN_ABS || uint64(nameOff) >= uint64(len(names)) {
		return s, false
	}
	s.name = names[nameOff:]
	if end := strings.IndexByte(s.name, 0); end >= 0 {
		s.name = s.name[:end]
	}
	if s.name == "" {
		return s, false
	}
	if int(index) < len(o.file.Sections) {
		sec := o.file.Sections[index]
		s.limit = sec.Addr + sec.Size
		if s.limit < sec.Addr || s.addr < sec.Addr || s.addr >= s.limit || sec.Flags&elf.SHF_EXECINSTR == 0 {
			return s, false
		}
	} else if s.label {
		return s, false
	}
	if s.label {
		// Mapping symbols of arm64 and local labels of compilers name no code.
		if s.name[0] == '$' || strings.HasPrefix(s.name, ".L") {
			return s, false
		}
		vis := elf.ST_VISIBILITY(other)
		s.hidden = s.bind == elf.STB_LOCAL || vis == elf.STV_HIDDEN || vis == elf.STV_INTERNAL
	}
	return s, true
}
