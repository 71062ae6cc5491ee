package probe

import (
	"debug/elf"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"trapline/internal/symbol"
	"trapline/internal/x86"
)

// An IFUNC is a function that runs once, to choose the one that calls go to. Which one
// that is depends on the CPU, so all that it can choose are probed: calls go to one of
// them.

// indirectProbe makes the probe of an IFUNC: at its implementations.
func (r *Resolver) indirectProbe(ev *Event, b *binaryFile, f *symbol.Function, name string) (*Probe, error) {
	if ev.Offset > 0 {
		return nil, &InvalidError{ev.Text, f.Name + " is an IFUNC: give the offset in one of its implementations"}
	}
	implementations := b.implementations(f)
	if len(implementations) == 0 {
		return nil, &UnsupportedError{ev.Text, "", f.Name + " is an IFUNC, a function that chooses the implementation that calls go to, and which it can choose is not known",
			"install debug symbols of " + path.Base(b.path.shown) + " and probe the implementation by its name"}
	}
	p, err := userProbe(ev, b, name, implementations[0].Offset)
	if err != nil {
		return nil, err
	}
	p.Function = f.Name
	var names []string
	for _, i := range implementations {
		p.Sites = append(p.Sites, Site{Function: i.Name, Offset: i.Offset, Fetch: p.Fetch})
		names = append(names, i.Name)
	}
	p.Notes = append(p.Notes, fmt.Sprintf("%s is an IFUNC: probed are the %s that it chooses from, which other functions may share: %s",
		f.Name, counted(len(names), "implementation"), strings.Join(names, ", ")))
	return p, nil
}

// implementations returns the functions that an IFUNC can choose: those whose addresses
// its code takes or, where there are none, those that are named as glibc names them
// (__strlen_avx2). Functions without a name are called by their offset.
func (b *binaryFile) implementations(f *symbol.Function) []symbol.Function {
	all, err := b.functions()
	if err != nil {
		return nil
	}
	named := make(map[uint64]symbol.Function)
	for _, g := range all {
		if _, known := named[g.Address]; !known && !b.indirect[g.Address] {
			named[g.Address] = g
		}
	}
	var found []symbol.Function
	for _, address := range b.addressesTaken(f) {
		g, ok := named[address]
		if !ok {
			offset, inFile := b.fileOffset(address)
			if !inFile {
				continue
			}
			g = symbol.Function{Name: fmt.Sprintf("0x%x", offset), Address: address, Offset: offset}
		}
		if b.holdsCode(g.Offset) && !b.indirect[g.Address] {
			found = append(found, g)
		}
	}
	if len(found) == 0 {
		found = b.filter(all, func(g *symbol.Function) bool {
			return strings.HasPrefix(g.Name, "__"+f.Name+"_") && !b.indirect[g.Address]
		})
	}
	slices.SortFunc(found, func(x, y symbol.Function) int { return strings.Compare(x.Name, y.Name) })
	return slices.CompactFunc(found, func(x, y symbol.Function) bool { return x.Address == y.Address })
}

// addressesTaken returns what the code of a function takes the addresses of: the
// targets of LEA relative to the instruction pointer, as x86-64 code does it.
func (b *binaryFile) addressesTaken(f *symbol.Function) []uint64 {
	if b.machine != elf.EM_X86_64 {
		return nil
	}
	code, err := b.code64(f, f.Size)
	if err != nil {
		return nil
	}
	var taken []uint64
	for at := 0; at < len(code); {
		inst, err := x86.Decode(code[at:])
		if err != nil {
			break
		}
		at += inst.Len
		if m, ok := inst.Args[1].(x86asm.Mem); ok && inst.Op == x86asm.LEA && m.Base == x86asm.RIP {
			taken = append(taken, f.Address+uint64(at)+uint64(int32(m.Disp))) // not extended by Decode
		}
	}
	return taken
}
