package program

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"trapline/internal/symbol"
	"trapline/internal/x86"
)

// An IFUNC is a function that runs once to choose the implementation that calls go to.
// The choice depends on the CPU, so a probe covers all implementations.

// IsIFUNC reports whether a function is an IFUNC.
func (f *File) IsIFUNC(fn *symbol.Function) bool { return f.indirect[fn.Address] }

// Implementations returns the functions that an IFUNC can choose: those whose addresses
// its code takes, or else those named like glibc's (__strlen_avx2). A function without a
// name is named by its file offset.
func (f *File) Implementations(ifunc *symbol.Function) []symbol.Function {
	all, err := f.Functions()
	if err != nil {
		return nil
	}
	named := make(map[uint64]symbol.Function)
	for _, g := range all {
		if _, known := named[g.Address]; !known && !f.indirect[g.Address] {
			named[g.Address] = g
		}
	}
	var found []symbol.Function
	for _, address := range f.addressesTaken(ifunc) {
		g, ok := named[address]
		if !ok {
			offset, inFile := f.Offset(address)
			if !inFile {
				continue
			}
			g = symbol.Function{Name: fmt.Sprintf("0x%x", offset), Address: address, Offset: offset}
		}
		if f.HoldsCode(g.Offset) && !f.indirect[g.Address] {
			found = append(found, g)
		}
	}
	if len(found) == 0 {
		found = f.Select(all, func(g *symbol.Function) bool {
			return strings.HasPrefix(g.Name, "__"+ifunc.Name+"_") && !f.indirect[g.Address]
		})
	}
	slices.SortFunc(found, func(x, y symbol.Function) int { return strings.Compare(x.Name, y.Name) })
	return slices.CompactFunc(found, func(x, y symbol.Function) bool { return x.Address == y.Address })
}

// addressesTaken returns the addresses that a function's code takes, by LEA relative to
// the instruction pointer.
func (f *File) addressesTaken(fn *symbol.Function) []uint64 {
	if f.Machine != elf.EM_X86_64 {
		return nil
	}
	code, err := f.code64(fn, fn.Size)
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
			taken = append(taken, fn.Address+uint64(at)+uint64(int32(m.Disp))) // Decode does not sign-extend
		}
	}
	return taken
}
