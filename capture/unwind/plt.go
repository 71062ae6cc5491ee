package unwind

import (
	"bytes"
	"debug/elf"
)

// A plt handles the stubs of a procedure linkage table without call frame information.
// Unlike GNU's linker, LLVM's writes none for them.
type plt struct {
	image      *Image
	addr, size uint64
}

// pltEntry is the size of an entry in bytes. Smaller entries have one instruction, which
// pushes nothing.
const pltEntry = 16

// pltCode is the instructions of entries: their first bytes, their lengths, and the number
// of bytes they push.
var pltCode = [...]struct {
	code   []byte
	size   int
	pushes int64
}{
	{[]byte{0xff, 0x25}, 6, 0},             // jmp through the GOT
	{[]byte{0xf2, 0xff, 0x25}, 7, 0},       // bnd jmp through the GOT
	{[]byte{0xf3, 0x0f, 0x1e, 0xfa}, 4, 0}, // endbr64
	{[]byte{0x68}, 5, 8},                   // push of the entry's number
	{pushGOT, 6, 8},
}

// pushGOT pushes a word of the GOT. It is in the first entry, to which the others jump
// after pushing their numbers.
var pushGOT = []byte{0xff, 0x35}

// openPLT returns the image's linkage tables.
func (m *Image) openPLT() []source {
	var tables []source
	for _, name := range []string{".plt", ".plt.sec", ".plt.got", ".iplt"} {
		if s := m.file.Section(name); s != nil && s.Flags&elf.SHF_EXECINSTR != 0 {
			tables = append(tables, &plt{m, s.Addr, s.Size})
		}
	}
	return tables
}

func (p *plt) row(vaddr uint64) (row, bool) {
	if vaddr-p.addr >= p.size {
		return row{}, false
	}
	at := int((vaddr - p.addr) % pltEntry)
	var entry [pltEntry]byte
	code := entry[:p.image.readCode(vaddr-uint64(at), entry[:])]
	cfa := int64(8)
	if bytes.HasPrefix(code, pushGOT) {
		cfa += 8
	}
	known := false
	for pos := 0; ; {
		size := 0
		for _, i := range pltCode {
			if bytes.HasPrefix(code[pos:], i.code) && pos+i.size <= len(code) {
				known, size = true, i.size
				if pos+size <= at {
					cfa += i.pushes
				}
				break
			}
		}
		if pos += size; size == 0 || pos > at {
			break
		}
	}
	r := row{kind: RuleStep, cfa: cfaRule{reg: RegSP, offset: cfa}}
	r.regs[RegIP] = registerRule{kind: ruleOffset, offset: -8}
	return r, known
}
