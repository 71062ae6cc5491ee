package symbol

import (
	"debug/elf"

	"trapline/internal/debuginfo"
	"trapline/internal/gotable"
)

// Indices of tables of a Go function: internal/abi/symtab.go.
const (
	goPCDataInlineTree   = 2 // pc → index of the innermost inlined call, or -1
	goFuncDataInlineTree = 3
	goInlinedCallSize    = 16 // runtime.inlinedCall since Go 1.20
)

// A goTable names code by a Go program's function table.
type goTable struct {
	*gotable.Table
	elf *object
}

// readGoTable finds the image's Go table. It returns nil if there is none.
func (o *object) readGoTable() *goTable {
	if t := gotable.Open(o.file); t != nil {
		o.memory.Add(t.Memory())
		return &goTable{t, o}
	}
	return nil
}

// calls returns the calls at an address, innermost first.
func (t *goTable) calls(addr uint64) []Call {
	i := t.Find(addr)
	if i < 0 {
		return nil
	}
	f, ok := t.Function(i)
	if !ok || f.Entry > addr {
		return nil
	}
	var calls []Call
	pc := addr
	for range debuginfo.MaxInlineDepth {
		index, ok := t.Value(f.PCData(goPCDataInlineTree), f.Entry, pc)
		if !ok || index < 0 {
			break
		}
		name, parent, ok := t.inlinedCall(&f, uint32(index))
		if !ok {
			break
		}
		file, line := t.position(&f, pc)
		calls = append(calls, Call{Function: name, File: file, Line: line})
		// An instruction marked for the purpose has the parent's position.
		pc = f.Entry + uint64(parent)
	}
	file, line := t.position(&f, pc)
	return append(calls, Call{Function: t.Name(f.NameOff), File: file, Line: line, Offset: addr - f.Entry})
}

// inlinedCall reads an entry of a function's inlining tree: the name of the called function,
// and the offset from the function's entry of an instruction with the position of the call.
func (t *goTable) inlinedCall(f *gotable.Function, index uint32) (name string, parent uint32, ok bool) {
	if t.FuncData() == 0 {
		return "", 0, false
	}
	off := f.FuncData(goFuncDataInlineTree)
	if off == ^uint32(0) {
		return "", 0, false
	}
	b, err := t.elf.segmentBytes(t.FuncData()+uint64(off)+uint64(index)*goInlinedCallSize, goInlinedCallSize)
	if err != nil {
		return "", 0, false
	}
	return t.Name(t.Order().Uint32(b[4:])), t.Order().Uint32(b[8:]), true
}

// position returns the file and line of an instruction.
func (t *goTable) position(f *gotable.Function, pc uint64) (string, int) {
	line, _ := t.Value(f.LineOff, f.Entry, pc)
	file, ok := t.Value(f.FileOff, f.Entry, pc)
	if !ok {
		return "", 0
	}
	return t.File(f.Unit, file), int(max(line, 0))
}

// symbols returns the table's functions, except at addresses in known: the symbol table has
// better names ("F[go.shape.int]" instead of "F[...]").
func (t *goTable) symbols(known []symbol) []symbol {
	have := make(map[uint64]bool, len(known))
	for i := range known {
		have[known[i].addr] = true
	}
	syms := make([]symbol, 0, t.Len())
	for i := range t.Len() {
		entry, end := t.Entry(i), t.Entry(i+1)
		if have[entry] || end <= entry {
			continue
		}
		f, ok := t.Function(i)
		if !ok {
			continue
		}
		if name := t.Name(f.NameOff); name != "" {
			syms = append(syms, symbol{name: name, addr: entry, size: end - entry, bind: elf.STB_LOCAL})
		}
	}
	return syms
}
