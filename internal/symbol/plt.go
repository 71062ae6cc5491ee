package symbol

import (
	"debug/elf"
	"encoding/binary"
	"strings"
)

// maxPLT is the maximum size of a procedure linkage table in bytes.
const maxPLT = 16 << 20

// pltSymbols names the stubs that call functions of other images, such as puts@plt. A stub
// jumps through a slot of the global offset table, whose relocation names the function.
func (o *object) pltSymbols() []symbol {
	var stubs func(code []byte, addr uint64, visit func(stub, size, slot uint64))
	switch o.file.Machine {
	case elf.EM_X86_64:
		stubs = stubsAMD64
	case elf.EM_AARCH64:
		stubs = stubsARM64
	default:
		return nil
	}
	slots := o.importSlots()
	if len(slots) == 0 {
		return nil
	}
	var syms []symbol
	for _, s := range o.file.Sections {
		if !strings.HasPrefix(s.Name, ".plt") || s.Type != elf.SHT_PROGBITS || s.Size > maxPLT {
			continue
		}
		code, err := o.contents(s)
		if err != nil {
			continue
		}
		stubs(code, s.Addr, func(stub, size, slot uint64) {
			if name, ok := slots[slot]; ok {
				syms = append(syms, symbol{
					name: name + "@plt", addr: stub, size: size, limit: s.Addr + s.Size, hidden: true,
				})
			}
		})
	}
	return syms
}

// stubsAMD64 finds "jmp *slot(%rip)" (ff 25 disp32) in each entry of a table; an
// endbr64 or bnd prefix may come first.
func stubsAMD64(code []byte, addr uint64, visit func(stub, size, slot uint64)) {
	size := 16
	if len(code) >= 16 && code[8] == 0xff && code[9] == 0x25 {
		size = 8 // .plt.got of binutils: without the lazy part
	}
	for off := 0; off+size <= len(code); off += size {
		for i := off; i <= off+min(5, size-6); i++ {
			if code[i] == 0xff && code[i+1] == 0x25 {
				disp := int32(binary.LittleEndian.Uint32(code[i+2:]))
				visit(addr+uint64(off), uint64(size), addr+uint64(i)+6+uint64(int64(disp)))
				break
			}
		}
	}
}

// stubsARM64 finds "adrp x16, page; ldr x17, [x16, #offset]".
func stubsARM64(code []byte, addr uint64, visit func(stub, size, slot uint64)) {
	for off := 0; off+8 <= len(code); off += 4 {
		adrp, ldr := binary.LittleEndian.Uint32(code[off:]), binary.LittleEndian.Uint32(code[off+4:])
		if adrp&0x9f00001f != 0x90000010 || ldr&0xffc003ff != 0xf9400211 {
			continue
		}
		imm := int64(int32((adrp>>5&0x7ffff)<<13)) >> 11 << 14 // 21 bits, sign-extended, times 4096
		imm |= int64(adrp>>29&3) << 12
		page := (addr+uint64(off))&^0xfff + uint64(imm)
		start := uint64(off)
		if off >= 4 && binary.LittleEndian.Uint32(code[off-4:]) == 0xd503245f { // bti c
			start -= 4
		}
		visit(addr+start, 16, page+uint64(ldr>>10&0xfff)*8)
	}
}

// importSlots maps slots of the global offset table to the names of the functions whose
// addresses the dynamic linker stores there.
func (o *object) importSlots() map[uint64]string {
	if o.file.Class != elf.ELFCLASS64 {
		return nil
	}
	imports, err := o.file.DynamicSymbols()
	if err != nil {
		return nil
	}
	slots := make(map[uint64]string)
	for _, name := range []string{".rela.plt", ".rela.dyn"} {
		s := o.section(name)
		if s == nil {
			continue
		}
		b, err := o.contents(s)
		if err != nil {
			continue
		}
		for ; len(b) >= 24; b = b[24:] {
			index := o.file.ByteOrder.Uint64(b[8:]) >> 32
			if index > 0 && index <= uint64(len(imports)) { // DynamicSymbols omits entry 0
				slots[o.file.ByteOrder.Uint64(b)] = imports[index-1].Name
			}
		}
	}
	return slots
}
